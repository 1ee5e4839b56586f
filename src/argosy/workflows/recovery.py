"""Going back to a moment: which moments there are, which backup and stretch of log lead there, and what is refused."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Archive, ArchiveStream, Backup, Guest, Instance
from argosy.engines.archiving import Target
from argosy.engines.base import Engine
from argosy.workflows import archives, offers
from argosy.workflows.restoring import Restore


@dataclass(frozen=True)
class Point:
    """Where somebody wants to go back to. One of `at`, `transaction`, `position` and `before_statement`, or none of
    them: as far as the log goes.
    """

    instance_id: str
    at: float | None = None
    transaction: str = ""
    position: str = ""
    before_statement: str = ""
    base: str = ""
    """the backup to start from; empty: the newest before the moment, or the oldest of the newest stream"""

    @property
    def target(self) -> Target:
        return Target(self.at, self.transaction, self.position, self.before_statement)


@dataclass(frozen=True)
class Window:
    """Moments that one stream can bring back: all of them between two."""

    stream: ArchiveStream
    bases: Sequence[Backup]
    latest: float

    @property
    def earliest(self) -> float:
        return self.bases[0].moment or 0.0

    def has(self, moment: float) -> bool:
        return self.earliest <= moment <= self.latest


def windows(session: Session, instance: Instance) -> Sequence[Window]:
    """Oldest first."""
    guest = session.get(Guest, instance.id)
    metrics = guest.metrics if guest else {}
    found = []
    for stream in archives.streams(session, instance.id):
        bases = archives.bases(session, _engine(session, stream), stream)
        latest = archives.latest(stream, metrics if stream.ended is None else {})
        if bases and latest is not None and latest >= (bases[0].moment or 0.0):
            found.append(Window(stream, bases, latest))
    return found


def resolve(session: Session, instance: Instance, point: Point) -> Restore:
    """The backup and the log that lead there. Raises Conflict for a moment that cannot be had, and says which can."""
    found = windows(session, instance)
    window = _window(found, point)
    if window is None:
        raise errors.Conflict(_refusal(session, instance, found, point))
    base = _base(window, point)
    return Restore(base.id, dataclasses.asdict(_target(window, point)), _log(window))


def _window(found: Sequence[Window], point: Point) -> Window | None:
    """A moment that two streams have is the later one's: what came after it is the server's history."""
    if point.base:
        return next((each for each in found if point.base in {base.id for base in each.bases}), None)
    if point.at is None:
        return found[-1] if found else None
    return next((each for each in reversed(found) if each.has(point.at or 0.0)), None)


def _base(window: Window, point: Point) -> Backup:
    """The newest from which the target lies ahead. Of targets without a time nobody knows before: the oldest then."""
    if point.base:
        return next(each for each in window.bases if each.id == point.base)
    if point.at is not None:
        return [each for each in window.bases if (each.moment or 0.0) <= point.at][-1]
    return window.bases[-1] if point.target == Target() else window.bases[0]


def _target(window: Window, point: Point) -> Target:
    """A moment at which nothing was written any more is the end of the log."""
    committed = window.stream.committed
    if point.at is not None and committed is not None and point.at >= committed:
        return Target()
    return point.target


def _log(window: Window) -> Mapping[str, Any]:
    return {"instance": window.stream.instance_id, "stream": window.stream.number}


def _refusal(session: Session, instance: Instance, found: Sequence[Window], point: Point) -> str:
    if not found:
        archive = session.get(Archive, instance.id)
        cure = "its first backup is not complete yet" if archive and archive.enabled else "its log is not archived"
        return f"Instance {instance.id} cannot be restored to a moment: {cure}."
    choice = " and ".join(f"from {stamp(each.earliest)} to {stamp(each.latest)}" for each in found)
    wanted = f"backup {point.base}" if point.base else stamp(point.at or 0.0)
    return f"Instance {instance.id} cannot be restored to {wanted}: it can be restored to any moment {choice}."


def stamp(moment: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03d}Z"


def _engine(session: Session, stream: ArchiveStream) -> Engine:
    return offers.get(session, stream.version_id).engine
