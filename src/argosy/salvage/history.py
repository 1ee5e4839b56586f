"""The archived log that leads on from a backup, as the store alone tells of it."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO

from argosy import errors
from argosy.model.backups import Manifest
from argosy.salvage.shelf import Shelf
from argosy.stores import chunks, keys, streams
from argosy.stores.base import Store
from argosy.stores.chunks import HEAD_BYTES, Head
from argosy.stores.streams import Stream

MARGIN = 60.0
"""seconds by which the clocks of a guest and its control plane may have differed"""


class NoHistory(errors.NotFound):
    """no archived log leads on from this backup"""


@dataclass(frozen=True)
class History:
    """One stream. Answers as the conductor's door does, so that whoever reads from there can read from here."""

    store: Store
    place: str
    stream: Stream
    key: bytes = field(repr=False)

    def order(self, backup: Manifest | None = None) -> dict[str, Any]:
        """What agent/archived.py wants to be told: what leads on from a backup, or all."""
        told = {"instance": self.stream.instance, "stream": self.stream.number, "key": self.key.hex()}
        return {**told, "first": self._first(backup) if backup else ""}

    def get(self, place: str) -> BinaryIO:
        """Raises NotFound."""
        number = f"{self.stream.number}"
        if place == f"{number}/files/all":
            return _told([{"name": name, "bytes": last.end} for name, (_, last) in self._files.items()])
        if place.startswith(f"{number}?"):
            after = place.partition("=")[2]
            return _told([{"name": name, "bytes": size} for name, size in self._sizes.items() if name > after])
        return io.BytesIO(b"".join(map(self._read, place.removeprefix(f"{number}/").split(","))))

    def _read(self, name: str) -> bytes:
        with self.store.open(self.place + name) as source:
            return source.read()

    def _first(self, backup: Manifest) -> str:
        """The file that a replay begins with: what the backup did not see came later."""
        begins = [(name, first.sent) for name, (first, _) in self._files.items() if first.begins]
        before = [name for name, sent in begins if sent <= backup.created - MARGIN]
        if not begins:
            raise NoHistory(f"there is nothing in {self.place} that a replay could begin with")
        return before[-1] if before else begins[0][0]

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        return {key.removeprefix(self.place): size for key, size in self.store.sizes(self.place)}

    @cached_property
    def _files(self) -> Mapping[str, tuple[Head, Head]]:
        """In the order of history, the first and the last piece of each, which are proven when they are read."""
        pieces = defaultdict(list)
        for named in filter(None, map(chunks.named, self._sizes)):
            pieces[named.file].append(named.name)
        covers = {name: chunks.cover(pieces[name]) for name in sorted(pieces)}
        return {name: (self._head(found[0].name), self._head(found[-1].name)) for name, found in covers.items()}

    def _head(self, name: str) -> Head:
        with self.store.open(self.place + name, 0, HEAD_BYTES) as source:
            return chunks.head(source.read())


def find(shelf: Shelf, backup: Manifest) -> History:
    """The stream that was under way when the backup was taken. Raises NoHistory, Damaged, WrongKey, LostKey."""
    found = None
    for place in streams.find(shelf.store, backup.project, backup.instance):
        there = at(shelf, place)
        if there.stream.asked <= backup.created:
            found = there
    if found is None:
        raise NoHistory(f"no archived log leads on from backup {backup.backup}: it can be restored as it is")
    return found


def at(shelf: Shelf, place: str) -> History:
    """Raises Damaged, WrongKey, LostKey, NoKey."""
    by, project = shelf.require_wrapping(), place.split("/")[1]

    def find_key(number: int) -> keys.ProjectKey:
        return keys.find(shelf.store, streams.CONTAINER, project, number, by)

    return History(shelf.store, place, *streams.read(shelf.store, place, find_key))


def _told(value: object) -> BinaryIO:
    return io.BytesIO(json.dumps(value).encode())
