"""Manifests, and chains of them: what a backup is by its own word, and whether that word can be believed.

A manifest is believed when its MAC is by the backup's key, and that key by its project's; a chain when each names its
parent's MAC. So nothing of it can be edited, exchanged or put in another order by whoever can only write to the store.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from argosy import errors
from argosy.model.backups import FORMAT, Key, Manifest, Part
from argosy.stores import keys
from argosy.stores.base import NoSuchObject, Store
from argosy.stores.frames import Damaged
from argosy.stores.keys import ProjectKey, Wrapping

MANIFEST = "manifest.json"
LONGEST_CHAIN = 1000


class MissingParent(Damaged):
    """the backup that this one builds on is not there"""


class TooNew(errors.Rejected):
    """the backup was written by a later release of Argosy: read it with that one"""


@dataclass(frozen=True)
class Link:
    """One backup of a chain, proven to be what it says."""

    manifest: Manifest
    place: str
    """prefix of everything that it is in the store"""
    key: bytes = field(repr=False)
    """what its parts are sealed by"""


PLAIN: Mapping[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}
Told = TypeVar("Told", Manifest, Part, Key)
KeyOf = Callable[[Manifest], bytes]
"""The key that a backup's parts are sealed by. Raises LostKey, WrongKey."""


def signed(manifest: Manifest, key: bytes) -> Manifest:
    return dataclasses.replace(manifest, mac=_mac(manifest, key))


def write(store: Store, place: str, manifest: Manifest) -> str:
    """With it the backup exists. Its key in the store. The same one again is welcome; raises Conflict for another."""
    where, text = place + MANIFEST, manifest.text().encode()
    try:
        with store.create(where) as out:
            out.write(text)
    except errors.Conflict:
        with store.open(where) as there:
            if there.read(len(text) + 1) != text:
                raise
    return where


def parse(text: bytes) -> Manifest:
    """What it says, not yet whether that is so. Raises Damaged, TooNew."""
    try:
        told = json.loads(text)
        if told.get("format") != FORMAT:
            raise TooNew(f"the manifest is of format {told.get('format')}, this release knows {FORMAT}")
        parts = tuple(_made(Part, part) for part in told.pop("parts"))
        return _made(Manifest, {**told, "parts": parts, "key": _made(Key, told.pop("key"))})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Damaged(f"{MANIFEST} is damaged: it cannot be read") from error


def check(manifest: Manifest, key: bytes) -> None:
    """Raises Damaged."""
    if not hmac.compare_digest(manifest.mac.encode(errors="replace"), _mac(manifest, key).encode()):
        raise Damaged(f"the manifest of backup {manifest.backup} was changed: its MAC is not by the backup's key")


def read(store: Store, place: str, key_of: KeyOf) -> Link:
    """The backup at that place, believed. Raises NoSuchObject, Damaged, LostKey, WrongKey, TooNew."""
    with store.open(place + MANIFEST) as source:
        text = source.read()
    manifest = parse(text)
    if place.rstrip("/").split("/")[-2:] != [manifest.project, manifest.backup]:
        raise Damaged(f"the manifest at {place} is of another backup: {manifest.project}/{manifest.backup}")
    key = key_of(manifest)
    check(manifest, key)
    if text != manifest.text().encode():
        raise Damaged(f"{MANIFEST} is damaged: it is not as it was written, though it says the same")
    return Link(manifest, place, key)


def chain(store: Store, place: str, key_of: KeyOf) -> tuple[Link, ...]:
    """All that it takes to restore the backup at that place, the full one first, each proven to be the one that the
    next was built on. Raises NoSuchObject, MissingParent, Damaged, LostKey, WrongKey, TooNew.
    """
    links = [read(store, place, key_of)]
    while links[-1].manifest.parent:
        links.append(_parent(store, links[-1], key_of))
        if len(links) > LONGEST_CHAIN:
            raise Damaged(f"the chain of backup {links[0].manifest.backup} has no beginning")
    return tuple(reversed(links))


def missing(store: Store, place: str, attempt: str, parts: Iterable[Part]) -> Iterator[str]:
    """What is wrong with the parts, by their names and sizes alone: one sentence each."""
    prefix = f"{place}{attempt}/"
    there = {key[len(prefix) :]: size for key, size in store.sizes(prefix)}
    for part in parts:
        size = there.get(part.name)
        if size is None:
            yield f"part {part.name} is missing"
        elif size != part.bytes:
            yield f"part {part.name} has {size} bytes instead of {part.bytes}"


def by_wrapping(store: Store, container: str, by: Wrapping) -> KeyOf:
    """With nothing but the store and the master key."""
    known: dict[tuple[str, int], ProjectKey] = {}

    def key_of(manifest: Manifest) -> bytes:
        name = (manifest.project, manifest.key.number)
        if name not in known:
            known[name] = keys.find(store, container, *name, by)
        return known[name].open(manifest.backup, manifest.key)

    return key_of


def _parent(store: Store, child: Link, key_of: KeyOf) -> Link:
    told = child.manifest
    place = f"{child.place.rstrip('/').rpartition('/')[0]}/{told.parent}/"
    try:
        found = read(store, place, key_of)
    except NoSuchObject as error:
        raise MissingParent(f"backup {told.backup} builds on {told.parent}, which is not in the store") from error
    if found.manifest.mac != told.parent_mac or found.manifest.engine != told.engine:
        raise Damaged(f"backup {told.backup} was not built on the {told.parent} that is in the store, but on another")
    return found


def _mac(manifest: Manifest, key: bytes) -> str:
    return hmac.new(key, manifest.signed_text(), hashlib.sha256).hexdigest()


def _made(kind: type[Told], told: Mapping[str, Any]) -> Told:
    """Raises TypeError for fields that are missing, unknown or of another type."""
    for name, expected in get_type_hints(kind).items():
        if expected in PLAIN and not isinstance(told.get(name), PLAIN[expected]):
            raise TypeError(name)
    return kind(**told)
