"""Backups as the store holds them, found by their names and proven by their keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from argosy import errors
from argosy.model.backups import Manifest
from argosy.stores import chains, streams
from argosy.stores.base import Store
from argosy.stores.chains import KeyOf, Link
from argosy.stores.keys import Wrapping


class NoKey(errors.Rejected):
    """a backup is read with the master key: give --escrow FILE, or --master-key FILE"""


@dataclass(frozen=True)
class Shelf:
    store: Store
    within: str = ""
    """prefix of what is looked at: a container, or a project in one"""
    wrapping: Wrapping | None = None
    """None: names and claims can be seen, nothing can be proven or read"""

    def places(self) -> Iterator[str]:
        """Of all backups that have a manifest."""
        for key in self.store.list(self.within):
            if key.endswith(f"/{chains.MANIFEST}") and key.count("/") == 3:
                yield key.removesuffix(chains.MANIFEST)

    def logs(self) -> Iterator[str]:
        """Places of all streams of archived log."""
        for key in self.store.list(self.within):
            if key.endswith(f"/{streams.FILE}") and key.count("/") == 5:
                yield key.removesuffix(streams.FILE)

    def find(self, backup: str) -> str:
        """Its place, by the backup's id. Raises NotFound."""
        for place in self.places():
            if place.endswith(f"/{backup}/"):
                return place
        raise errors.NotFound(f"there is no backup with the id {backup} in the store: argosy-restore list shows them")

    def claim(self, place: str) -> Manifest:
        """What a backup says of itself, proven where there is a key. Raises Damaged, WrongKey, LostKey, TooNew."""
        if self.wrapping is not None:
            return chains.read(self.store, place, self._key_of(place)).manifest
        with self.store.open(place + chains.MANIFEST) as source:
            return chains.parse(source.read())

    def chain(self, place: str) -> tuple[Link, ...]:
        """All that it takes to restore it, the full one first. Raises as `chains.chain` does."""
        return chains.chain(self.store, place, self._key_of(place))

    def require_wrapping(self) -> Wrapping:
        """Raises NoKey."""
        if self.wrapping is None:
            raise NoKey
        return self.wrapping

    def _key_of(self, place: str) -> KeyOf:
        container = place.partition("/")[0]
        if container not in self._keys:
            self._keys[container] = chains.by_wrapping(self.store, container, self.require_wrapping())
        return self._keys[container]

    @cached_property
    def _keys(self) -> dict[str, KeyOf]:
        """By container; each remembers the keys of projects that it has opened."""
        return {}
