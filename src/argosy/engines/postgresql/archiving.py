"""PostgreSQL's log as it leaves the guest: the segments below `pg_wal`, kept by a slot until they are safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.engines.archiving import LogFile, Logs, Moment, Target
from argosy.engines.postgresql import lineage, positions, replay, segments, slots, wire
from argosy.engines.postgresql.accounts import PostgresqlAccounts
from argosy.engines.postgresql.positions import Segment
from argosy.engines.postgresql.slots import ARCHIVE
from argosy.model.guest import Site

REACHED = """
SELECT pg_current_wal_flush_lsn(), timeline_id, pg_size_bytes(current_setting('wal_segment_size'))
  FROM pg_control_checkpoint()
"""
MOMENT = """
SELECT pg_current_wal_flush_lsn(), timeline_id, system_identifier,
       CASE WHEN current_setting('track_commit_timestamp')::bool
            THEN (SELECT extract(epoch FROM timestamp) FROM pg_last_committed_xact()) END
  FROM pg_control_checkpoint(), pg_control_system()
"""


@dataclass(frozen=True)
class Reached:
    """How far the log is on disk."""

    place: int
    timeline: int
    segment: int
    """bytes of each"""

    def holding(self, place: int) -> Segment:
        return Segment.holding(self.timeline, place, self.segment)


class PostgresqlArchiving(PostgresqlAccounts):
    """The facet PointInTime."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._safe = 0
        """what comes before is safe elsewhere"""

    def log_ready(self) -> bool:
        """Always: it writes enough for a replay to itself."""
        return True

    def log_want(self, wanted: bool) -> None:
        """It has no choice."""

    def log_files(self) -> Sequence[LogFile]:
        """What a slot has lost is told as a file of no bytes."""
        with self.session() as session:
            kept = slots.kept_from(session, ARCHIVE)
            if kept is None:
                slots.begin(session, ARCHIVE)
                kept = self._safe or slots.kept_from(session, ARCHIVE) or 0
            reached = _reached(session)
        segment, found = reached.holding(max(kept, self._safe)), []
        while segment.begin < reached.place:
            found.append(self._file(segment, reached.place))
            segment = segment.next
        return found

    def log_moment(self) -> Moment:
        with self.session() as session:
            [(place, timeline, system, at)] = session.query(MOMENT)
        position = {"lsn": place, "timeline": int(timeline or 0), "system": system}
        return Moment({**position, "history": lineage.of(self.site.state)}, float(at) if at else None)

    def log_shipped(self, name: str, size: int) -> None:
        """A slot keeps whole segments."""
        with self.session() as session:
            reached = _reached(session)
            segment = Segment.named(name, reached.segment)
            self._safe = max(self._safe, segment.begin + size)
            if size == segment.bytes and slots.kept_from(session, ARCHIVE) is not None:
                slots.advance(session, ARCHIVE, min(self._safe, reached.place))

    def log_give_up(self, most: int) -> Sequence[str]:
        with self.session() as session:
            reached, kept = _reached(session), slots.kept_from(session, ARCHIVE)
            if kept is None:
                return []
            if most:
                place = min(-(-(reached.place - most) // reached.segment) * reached.segment, reached.place)
                slots.advance(session, ARCHIVE, place)
            else:
                place = reached.place
                slots.drop(session, ARCHIVE)
        lost = segments.until(reached.holding(max(kept, self._safe)), place)
        self._safe = max(self._safe, place) if most else 0
        return [each.name for each in lost]

    def replay(self, logs: Logs, position: Mapping[str, Any], target: Target) -> Moment:
        return replay.replay(self.site, logs, position, target)

    def _file(self, segment: Segment, reached: int) -> LogFile:
        path = self.site.data / "db" / segments.FOLDER / segment.name
        size = min(segment.bytes, reached - segment.begin) if path.exists() else 0
        return LogFile(segment.name, path, size, closed=segment.next.begin <= reached)


def _reached(session: wire.Connection) -> Reached:
    [(place, timeline, segment)] = session.query(REACHED)
    return Reached(positions.parse(str(place)), int(timeline or 0), int(segment or 0))
