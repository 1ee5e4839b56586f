"""How PostgreSQL's data leave it and come back."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import copies
from argosy.engines.backups import NEXT, SNAPSHOT, Layer, Order, Position, Taken
from argosy.engines.postgresql import (
    basebackup,
    examination,
    finder,
    fingerprint,
    lineage,
    loading,
    manifests,
    positions,
    segments,
    wire,
)
from argosy.engines.postgresql.accounts import ADMINISTRATOR, HOME, PATIENCE
from argosy.engines.postgresql.doors import PostgresqlDoors
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.positions import Segment
from argosy.engines.postgresql.wire import literal

TELLS_BLOCKS = 17
"""From this release on, a server can tell which blocks have changed."""
NOT_BEGUN = "could not initiate base backup"
"""How pg_basebackup says that the server will not, before anything is written."""

LOG_SHARE = 4
"""One part in so many of the volume may be log in a chain: a restore lays it beside the data."""
LONGEST = 7 * 86400.0
"""seconds that a backup may take"""

WHO = """
SELECT current_setting('server_version_num'), system_identifier, extract(epoch FROM clock_timestamp()),
       timeline_id, pg_size_bytes(current_setting('wal_segment_size'))
  FROM pg_control_system(), pg_control_checkpoint()
"""
COMMIT = "SET synchronous_commit = local; SELECT pg_current_xact_id()"
"""Whatever was committed without waiting for the disk is on it then."""


class PostgresqlBackups(PostgresqlDoors):
    """The facet Backups."""

    def dump(self, strategy: str, order: Order, out: int) -> Taken:
        if strategy == SNAPSHOT:
            copies.dump(self.site.data, out, without=[f"{copies.DIRECTORY}/{each}" for each in loading.MADE_ANEW])
            return Taken()
        if order.since is None:
            return self._base_backup(order.scratch, "", out)
        return self._increment(order, order.since, out)

    def load(self, layers: Sequence[Layer], scratch: Path) -> None:  # noqa: ARG002 - nothing is kept beside
        try:
            loading.load(layers, self.site.data, finder.release(LAYOUT.place(self.site.root)))
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise errors.Rejected("the data do not fit on the volume: restore them to a larger one") from error

    def flush(self) -> None:
        with self.patient_session(HOME) as session:
            session.query("CHECKPOINT")

    @contextmanager
    def quiesce(self, seconds: float) -> Iterator[Position]:
        with self.session(seconds=seconds + PATIENCE) as session:
            session.query(f"SET idle_session_timeout = {int(seconds * 1000)}")
            who, now = self._who(session)
            [(start,)] = session.query("SELECT pg_backup_start('argosy', true)")
            [(stop,)] = session.query("SELECT pg_current_wal_flush_lsn()")
            files = [str(each.relative_to(self._cluster)) for each in self._relations()]
            yield {**who, "at": now, "start": start, "stop": stop, NEXT: self._for_the_next(files)}
            try:
                session.query("SELECT pg_backup_stop(false)")
            except (OSError, wire.ServerError) as error:
                raise errors.GuestFailed(f"PostgreSQL was not held for the snapshot throughout: {error}") from error

    def canaries(self) -> Mapping[str, Any]:
        return fingerprint.take(self.session, HOME)

    def examine_restored(self, canaries: Mapping[str, Any]) -> Mapping[str, Any]:
        report = examination.look_through(self.patient_session, HOME)
        wrong = report.faults + list(fingerprint.differences(self.patient_session, HOME, canaries))
        if wrong:
            raise errors.GuestFailed(f"the restored data are not what they were: {'; '.join(wrong[:5])}")
        return {
            "indexes": report.indexes,
            "tables": report.tables,
            "unchecked": report.unchecked,
            "compared": fingerprint.tables(canaries),
        }

    def patient_session(self, database: str) -> AbstractContextManager[wire.Connection]:
        return self.session(database, LONGEST)

    def _increment(self, order: Order, since: Position, out: int) -> Taken:
        """By the blocks that changed, where the server can tell them, else by its log."""
        if (since.get("history"), since.get("version", 0) // 10000) != (lineage.of(self.site.state), self._release):
            raise errors.Rejected("the data have been restored or upgraded since that backup: take a full backup")
        if since.get(NEXT, {}).get("files") and self._release >= TELLS_BLOCKS:
            try:
                return self._base_backup(order.scratch, manifests.write(since), out, since)
            except errors.GuestFailed as error:
                if NOT_BEGUN not in error.message:
                    raise
        return self._log(since, out)

    def _base_backup(self, scratch: Path, parent: str, out: int, since: Position | None = None) -> Taken:
        door = {"host": str(self.socket.parent), "port": str(self.site.port), "username": ADMINISTRATOR}
        if self.write_doors():
            self.reload()
        with self._nothing_recycled():
            seen = self._taken(door, scratch, parent, out)
        with self.session() as session:
            who, now = self._who(session)
        position = {**who, "start": seen.start, "stop": seen.stop, NEXT: self._for_the_next(seen.files)}
        if since is not None:
            position |= {"kind": loading.BLOCKS, "from": since["start"]}
        return Taken(position, now)

    def _taken(self, door: Mapping[str, str], scratch: Path, parent: str, out: int) -> basebackup.Seen:
        """With the names of its files where the next one can be told by blocks from it."""
        program = LAYOUT.place(self.site.root) / "pg_basebackup"
        if self._release >= TELLS_BLOCKS:
            return basebackup.take_named(program, door, scratch, parent, out)
        return basebackup.take(program, door, scratch, out)

    def _log(self, since: Position, out: int) -> Taken:
        """All that was written since. It is as one with the backup below it, which the next blocks are told from."""
        with self.session() as session:
            session.query(COMMIT)
            who, now = self._who(session)
            [(stop,)] = session.query("SELECT pg_current_wal_flush_lsn()")
        if since["timeline"] != who["timeline"]:
            raise errors.Rejected("the server has been promoted since that backup: take a full backup")
        begin, end = positions.parse(since["stop"]), positions.parse(str(stop))
        whole = since.get("log_bytes", 0) + end - begin
        if whole > self.site.volume // LOG_SHARE:
            raise errors.Rejected(
                f"the log since the last backup that is none takes {whole >> 20} MiB, and would need that much room"
                " beside the data in a restore: take a full backup"
            )
        segments.dump(self._cluster, Segment.holding(who["timeline"], begin, who["segment"]), end, out)
        position = {**who, "kind": loading.LOG, "from": since["stop"], "stop": stop, "start": since["start"]}
        return Taken({**position, "log_bytes": whole, NEXT: since.get(NEXT, {})}, now)

    def _relations(self) -> Iterator[Path]:
        for pattern in ("global/*", "base/*/*"):
            yield from self._cluster.glob(pattern)

    @property
    def _cluster(self) -> Path:
        return self.site.data / "db"

    @property
    def _release(self) -> int:
        """Of the data, which no server of another one opens."""
        return int((self._cluster / "PG_VERSION").read_text().partition(".")[0])

    def _for_the_next(self, files: Sequence[str]) -> Mapping[str, Any]:
        """What only an increment of this backup needs."""
        return {"files": manifests.pack(files)} if self._release >= TELLS_BLOCKS else {}

    def _who(self, session: wire.Connection) -> tuple[dict[str, Any], float]:
        """What every position tells, and the time."""
        [(version, system, now, timeline, segment)] = session.query(WHO)
        told = {
            "version": int(version or 0),
            "system": system,
            "history": lineage.of(self.site.state),
            "timeline": int(timeline or 0),
            "segment": int(segment or 0),
        }
        return told, float(now or 0)

    @contextmanager
    def _nothing_recycled(self) -> Iterator[None]:
        """No segment goes while this lasts: a slot that ends with its session keeps them."""
        name = f"argosy_{secrets.token_hex(8)}"
        with self.session(seconds=LONGEST) as session:
            session.query("SET idle_session_timeout = 0")
            session.query(f"SELECT pg_create_physical_replication_slot({literal(name)}, true, true)")
            yield
