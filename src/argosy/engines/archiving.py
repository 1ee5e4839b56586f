"""The engine's own log as a stream that leaves the guest while it is written: the facet PointInTime.

Every engine here keeps files that only grow and follow each other: binary logs, write-ahead segments, append-only
files. The facet tells which there are and how far each can be trusted; the agent ships what is new as chunks
(agent/shipper.py); a restore lays the chunks together again and has the engine replay them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class LogFile:
    name: str
    """as the engine calls it; the order of names is the order of history"""
    path: Path
    """where nothing is: the server has lost the file before it was shipped"""
    size: int
    """bytes from the beginning of the file that are durable and will never change"""
    closed: bool
    """nothing will be added to it"""
    begins: bool = True
    """a replay can begin with it, without any file before"""


@dataclass(frozen=True)
class Moment:
    """The end of what is told: where it stands in the engine's words, and when the last of it was committed."""

    position: Mapping[str, Any]
    at: float | None
    """seconds since the epoch by the server's clock; None: nothing says"""


@dataclass(frozen=True)
class Target:
    """Where to stop. Exactly one of the first four, or none: as far as the log goes."""

    time: float | None = None
    """seconds since the epoch: the last commit at or before it"""
    transaction: str = ""
    """a transaction in the engine's words (GTID, xid): up to and with it"""
    position: str = ""
    """LSN, or file and offset"""
    before_statement: str = ""
    """text that the first statement not wanted contains (mysql family)"""


class Arriving(Protocol):
    """Files on their way."""

    def begin(self, first: str) -> None:
        """From that one on. Asked again it changes nothing."""

    def check(self) -> None:
        """Raises what keeps them from coming."""

    def wait(self) -> None:
        """Until all have come. Raises likewise."""


@dataclass(frozen=True)
class Logs:
    """Files of log in a directory, or coming there: each stands there from the moment on that it is whole."""

    place: Path
    sizes: Mapping[str, int]
    """bytes of each, in the order of history"""
    arriving: Arriving | None = None
    """None: all have come"""

    @classmethod
    def there(cls, place: Path) -> Logs:
        return cls(place, {each.name: each.stat().st_size for each in sorted(place.iterdir())})

    def begin(self, first: str) -> None:
        """Nothing comes before somebody asks for it, nor what is before that file: how many there are, that need not
        come, depends on how much was written in a minute.
        """
        if self.arriving is not None:
            self.arriving.begin(first)

    def has(self, name: str) -> bool:
        """Whether that one has come. Raises what keeps the others from coming."""
        if self.arriving is not None:
            self.arriving.check()
        return (self.place / name).exists()

    def all(self, first: str = "") -> Path:
        """The directory, once all have come, from that one on. Raises likewise."""
        self.begin(first)
        if self.arriving is not None:
            self.arriving.wait()
        return self.place

    def forget(self) -> None:
        """Nobody reads what has come any more: as far as it is not on the disk yet, it is not written there. What was
        there before stays.
        """
        if self.arriving is not None:
            for name in self.sizes:
                (self.place / name).unlink(missing_ok=True)


@runtime_checkable
class PointInTime(Protocol):
    """The facet of a driver. The server keeps every file until `shipped` says that it need not (bounded: see there)."""

    def log_ready(self) -> bool:
        """Whether the server that runs writes what is to be shipped; else it has to be restarted after `log_want`."""

    def log_want(self, wanted: bool) -> None:
        """Whether the server is to write it from its next start on, where that costs. That nobody wants it is said of a
        stopped one only: it goes on writing where leaving that off now could cost what it was told to keep.
        """

    def log_files(self) -> Sequence[LogFile]:
        """What there is to ship, oldest first. Cheap: asked every second. Asked for the first time, the server begins
        to keep its files.
        """

    def log_moment(self) -> Moment:
        """Where the server is by now."""

    def log_shipped(self, name: str, size: int) -> None:
        """So much is safe elsewhere: the server may forget what comes before."""

    def log_give_up(self, most: int) -> Sequence[str]:
        """Let go of the oldest files, shipped or not, until at most so many bytes are held back: the server matters
        more than its history. Names of the files that were lost unshipped. 0: the server keeps nothing any more, until
        `log_files` is asked again.
        """

    def replay(self, logs: Logs, position: Mapping[str, Any], target: Target) -> Moment:
        """Bring a restored, adopted data directory whose server is not running (or, where the engine wants it, running
        secluded: the driver starts what it needs itself and stops it again) from a backup's position to the target by
        `logs`, all of which it may wait for first. Where it ended.

        Raises Rejected when the target lies before the backup or after the end of the log, and says what could be had;
        GuestFailed naming the file for a gap or damage.
        """
