"""What a stream of archived log says of itself in the store, so that it can be read where there is no database of ours.

<container>/<project>/archive/<instance>/<number>/stream.json    beside its chunks (stores/chunks.py)
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from argosy import errors
from argosy.model.backups import Key
from argosy.stores.base import Store
from argosy.stores.frames import Damaged
from argosy.stores.keys import ProjectKey

CONTAINER = "database_backups"
FILE = "stream.json"
FindKey = Callable[[int], ProjectKey]
"""The project's key of that number. Raises LostKey, WrongKey."""


@dataclass(frozen=True)
class Stream:
    project: str
    instance: str
    number: int
    engine: str
    version: str
    asked: float
    """no backup from before leads into it"""
    key: Key
    """what its chunks are sealed by, sealed by a key of the project"""
    mac: str = ""
    """by the stream's own key"""

    def signed(self, key: bytes) -> Stream:
        told = json.dumps(dataclasses.asdict(dataclasses.replace(self, mac="")), sort_keys=True)
        return dataclasses.replace(self, mac=hmac.new(key, told.encode(), hashlib.sha256).hexdigest())


def name(instance: str, number: int) -> str:
    """What a stream's key is sealed as."""
    return f"{instance}/{number:08d}"


def place(project: str, instance: str, number: int) -> str:
    return f"{of_instance(project, instance)}{number:08d}/"


def of_instance(project: str, instance: str) -> str:
    return f"{CONTAINER}/{project}/archive/{instance}/"


def publish(store: Store, where: str, stream: Stream, key: bytes) -> None:
    """Once; what is there already was written by one who was lost before saying so."""
    try:
        with store.create(where + FILE) as out:
            out.write(json.dumps(dataclasses.asdict(stream.signed(key)), indent=1).encode() + b"\n")
    except errors.Conflict:
        return


def read(store: Store, where: str, find_key: FindKey) -> tuple[Stream, bytes]:
    """And the key of its chunks. Raises NoSuchObject, Damaged, LostKey, WrongKey."""
    with store.open(where + FILE) as source:
        text = source.read()
    stream = _parsed(text, where)
    key = find_key(stream.key.number).open(name(stream.instance, stream.number), stream.key)
    if not hmac.compare_digest(str(stream.mac).encode(errors="replace"), stream.signed(key).mac.encode()):
        raise Damaged(f"{where}{FILE} was changed: its MAC is not by the stream's key")
    return stream, key


def _parsed(text: bytes, where: str) -> Stream:
    """What it claims to be, if it stands where that would be. Raises Damaged."""
    try:
        told = json.loads(text)
        stream = Stream(**{**told, "key": Key(int(told["key"]["number"]), str(told["key"]["sealed"]))})
        there = place(stream.project, stream.instance, stream.number)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Damaged(f"{where}{FILE} is damaged: it cannot be read") from error
    if where != there:
        raise Damaged(f"{where}{FILE} is of another stream: {there}")
    return stream


def find(store: Store, project: str, instance: str) -> Iterator[str]:
    """Places of all streams of an instance, the oldest first."""
    for key in store.list(of_instance(project, instance)):
        if key.endswith(f"/{FILE}"):
            yield key.removesuffix(FILE)
