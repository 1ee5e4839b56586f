"""How PostgreSQL's data leave it and come back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import copies
from argosy.engines.backups import SNAPSHOT, Layer, Order, Position, Taken
from argosy.engines.postgresql import basebackup, examination, fingerprint, lineage, loading, wire
from argosy.engines.postgresql.accounts import ADMINISTRATOR, HOME, PATIENCE, PostgresqlAccounts
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.wire import literal

WHO = """
SELECT current_setting('server_version_num'), system_identifier, extract(epoch FROM clock_timestamp())
  FROM pg_control_system()
"""


REACHED = "SELECT pg_current_wal_flush_lsn(), timeline_id FROM pg_control_checkpoint()"
LONGEST = 7 * 86400.0
"""seconds that a backup may take"""


class PostgresqlBackups(PostgresqlAccounts):
    """The facet Backups."""

    def dump(self, strategy: str, order: Order, out: int) -> Taken:
        if strategy == SNAPSHOT:
            copies.dump(self.site.data, out, without=[f"{copies.DIRECTORY}/{each}" for each in loading.MADE_ANEW])
            return Taken()
        with self._log_kept():
            seen = basebackup.take(self._program("pg_basebackup"), self._door, order.scratch, "", out)
        who, moment = self._who()
        return Taken({**who, "start": seen.start, "stop": seen.stop, "timeline": seen.timeline}, moment)

    def load(self, layers: Sequence[Layer], scratch: Path) -> None:  # noqa: ARG002 - nothing is kept beside
        loading.load(layers, self.site.data)

    @contextmanager
    def quiesce(self, seconds: float) -> Iterator[Position]:
        with self.session(seconds=seconds + PATIENCE) as session:
            session.query(f"SET idle_session_timeout = {int(seconds * 1000)}")
            [(start,)] = session.query("SELECT pg_backup_start('argosy', true)")
            [(stop, timeline)] = session.query(REACHED)
            who, _ = self._who()
            yield {**who, "start": start, "stop": stop, "timeline": int(timeline or 0)}
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

    @property
    def _door(self) -> Mapping[str, str]:
        return {"host": str(self.socket.parent), "port": str(self.site.port), "username": ADMINISTRATOR}

    def _program(self, name: str) -> Path:
        return LAYOUT.place(self.site.root) / name

    def _who(self) -> tuple[dict[str, Any], float]:
        with self.session() as session:
            [(version, system, moment)] = session.query(WHO)
        told = {"version": int(version or 0), "system": system, "history": lineage.of(self.site.data / "db")}
        return told, float(moment or 0)

    @contextmanager
    def _log_kept(self) -> Iterator[None]:
        """No segment goes while this lasts: a slot that ends with its session keeps them."""
        name = f"argosy_{secrets.token_hex(8)}"
        with self.session(seconds=LONGEST) as session:
            session.query("SET idle_session_timeout = 0")
            session.query(f"SELECT pg_create_physical_replication_slot({literal(name)}, true, true)")
            yield
