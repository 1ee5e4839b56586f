"""How an engine's data leave it and come back: the facet Backups, and the named strategies that it offers.

A strategy knows the engine's tools and nothing else: it writes the tool's native format into a descriptor and reads it
from one. Compressing, sealing, uploading, keys and chains are the archive's (stores/archive.py, agent/archiver.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Position = Mapping[str, Any]
"""Where in the engine's history something stands, in the engine's own words, as JSON."""

NEXT = "next"
"""What stands under this name in a position only the next increment needs: a restore is not told it, because a chain of
them has to fit into one command.
"""

SNAPSHOT = "snapshot"
"""The one strategy that every engine shares: the files as an atomic copy of the volume holds them."""


@dataclass(frozen=True)
class Strategy:
    """What everybody may know of a strategy: declared in the engine's `__init__`, no hands."""

    name: str
    title: str
    parents: frozenset[str] = frozenset()
    """strategies whose backups one of this may build on; none: it is full"""
    logical: bool = False
    """statements, not files: it can go to another version, and takes its time"""
    offline: bool = False
    """it reads a copy of the volume that no server runs on"""
    restored_with: str = ""
    """name of another strategy's hands"""
    suffix: str = "tar"
    """of a file with the native stream, as those who know its tools would name it"""
    ahead: int = 1 << 20
    """bytes that its tool may be ahead of who compresses them, which take up memory"""


@dataclass(frozen=True)
class Order:
    """What a strategy is to take."""

    scratch: Path
    """an empty directory of its own, on the guest's state, gone afterwards"""
    since: Position | None = None
    """what the parent's `Taken.position` said; None: everything"""


@dataclass(frozen=True)
class Taken:
    position: Position = field(default_factory=dict)
    """of the moment that the backup restores to, and all that the next incremental needs"""
    moment: float | None = None
    """seconds since the epoch by the server's clock: nothing later is in it; None: nothing says (`offline`)"""


@dataclass(frozen=True)
class Layer:
    """One backup of a chain, to be read from its beginning."""

    strategy: str
    position: Position
    open: Callable[[], AbstractContextManager[int]]
    """a descriptor that gives the native stream. Leaving the block raises errors.Broken if it was not whole."""


@runtime_checkable
class Backups(Protocol):
    """The facet of a driver. Called in a process of its own, beside the agent, as the guest's user."""

    def dump(self, strategy: str, order: Order, out: int) -> Taken:
        """Write the native stream into `out`, from the running server (`offline`: from the files under `site.data`).

        Raises GuestFailed with the tool's own words, Rejected for a parent that it cannot build on: then somebody has
        to take a full one.
        """

    def load(self, layers: Sequence[Layer], scratch: Path) -> None:
        """Make of an empty volume the data directory that the chain (the full one first) restores to, ready to be
        adopted and started. Called with a site whose `data` is an empty directory on the volume: what is made there is
        moved to its place once it is whole, so it must not matter what the directory is called.
        """

    def quiesce(self, seconds: float) -> AbstractContextManager[Position]:
        """Hold the running server still for a snapshot of its volume, for at most so long: the server gives up holding
        by itself when the one who holds dies or is late. Leaving the block raises GuestFailed if it was not held
        throughout.
        """

    def canaries(self) -> Mapping[str, Any]:
        """A cheap fingerprint of what a client would see now: databases, tables, estimated or exact counts and
        checksums of some, to be compared with a restored server's. At most seconds of work, some 20 KB of JSON.

        Asked before a dump and after it: what is not the same both times is dropped (`unchanged`), so that only what
        nobody wrote to meanwhile is compared. Objects are gone through, everything else (a list too) counts as one.
        What is told openly must not be the tenants' data: manifests are not sealed.
        """

    def examine_restored(self, canaries: Mapping[str, Any]) -> Mapping[str, Any]:
        """Look through a restored, running server as thoroughly as the engine can (amcheck, CHECK TABLE, …) and
        compare it with what was seen when the backup was taken, any part of which may be missing. What was checked, by
        name. Raises GuestFailed naming what is wrong.
        """


@runtime_checkable
class Flushes(Protocol):
    """A driver whose server writes down what it has in memory before it holds still."""

    def flush(self) -> None:
        """Have it do so by now, so that little is left for `quiesce`. Minutes, where there is a lot."""


def to_restore(position: Position) -> dict[str, Any]:
    """What a restore has to know of it."""
    return {name: value for name, value in position.items() if name != NEXT}


@runtime_checkable
class Untidy(Protocol):
    """A driver whose server goes on with a backup that nobody wants any more, or keeps what came of it."""

    def tidy(self) -> None:
        """Take away what a dump that was killed has left. Quick, and may be repeated."""


def unchanged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What two sights have in common."""
    both = {name: (value, after[name]) for name, value in before.items() if name in after}
    deeper = {name: _same(*pair) for name, pair in both.items()}
    return {name: value for name, value in deeper.items() if value is not _DIFFERENT}


_DIFFERENT = object()


def _same(before: Any, after: Any) -> Any:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return unchanged(before, after)
    return before if before == after else _DIFFERENT
