"""Brings one PostgreSQL server to life and keeps it configured."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy.engines import files, programs
from argosy.engines.postgresql import configuration, finder, identity, wire
from argosy.engines.postgresql.accounts import ADMINISTRATOR, HOME, MASTER, PostgresqlAccounts
from argosy.engines.postgresql.archiving import PostgresqlArchiving
from argosy.engines.postgresql.backups import PostgresqlBackups
from argosy.engines.postgresql.excerpts import PostgresqlExcerpts
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.logs import PostgresqlLogs
from argosy.engines.postgresql.upgrade import PostgresqlUpgrades
from argosy.model.guest import Health, Identity, Probe, ServiceSpec

PROBE_SECONDS = 1.5

CANNOT_CONNECT_NOW = "57P03"

LOCK_UP = "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;"
"""A user of one database does not even see the inside of another."""

LOOK = """
SELECT split_part(version(), ' ', 2),
       (SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections'),
       extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()),
       (SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle'),
       (SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
       CASE WHEN pg_is_in_recovery() THEN 0 ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') END,
       sum(xact_commit), sum(xact_rollback), sum(blks_read), sum(blks_hit), sum(deadlocks), sum(temp_bytes),
       sum(tup_returned), sum(tup_inserted + tup_updated + tup_deleted)
  FROM pg_stat_database
"""
METRICS = (
    "connections", "max_connections", "uptime_seconds", "active_connections", "oldest_transaction_seconds",
    "wal_bytes", "commits", "rollbacks", "blocks_read", "blocks_hit", "deadlocks", "temporary_bytes",
    "rows_returned", "rows_changed",
)  # fmt: skip


class PostgresqlDriver(
    PostgresqlUpgrades, PostgresqlBackups, PostgresqlArchiving, PostgresqlExcerpts, PostgresqlLogs, PostgresqlAccounts
):
    def install(self) -> None:
        """Built beside its place and renamed into it: what stands there is whole."""
        if self.cluster.exists():
            return
        draft = self.cluster.with_name("db.new")
        shutil.rmtree(draft, ignore_errors=True)
        self._initialise(draft)
        draft.rename(self.cluster)
        files.sync_directory(self.site.data)

    def adopt(self, identity_: Identity) -> None:
        identity.adopt(self.cluster, identity_)

    def configure(self, overrides: Mapping[str, object]) -> bool:
        chosen = files.chosen(overrides)
        release = int(finder.release(LAYOUT.place(self.site.root)) or 0)
        text = configuration.postgresql_conf(self.site, str(self.socket.parent), chosen, release)
        if chosen:
            self._check(text)
        files.write(self._configuration, text)
        self.write_doors()
        return files.listening(self.socket) and self.reload()

    def service(self) -> ServiceSpec:
        server = LAYOUT.place(self.site.root) / "postgres"
        return ServiceSpec(
            (str(server), "-c", f"config_file={self._configuration}"),
            environment=programs.ENVIRONMENT,
            stop_signal=signal.SIGINT,
        )

    def probe(self) -> Probe:
        try:
            with wire.Connection(self.socket, ADMINISTRATOR, HOME, PROBE_SECONDS) as session:
                version, *numbers = session.query(LOOK)[0]
        except TimeoutError:
            return Probe(Health.BLOCKED, f"PostgreSQL did not answer within {PROBE_SECONDS} s")
        except OSError as error:
            return Probe(Health.STARTING, str(error))
        except wire.ServerError as error:
            return Probe(Health.STARTING if error.code == CANNOT_CONNECT_NOW else Health.BLOCKED, str(error))
        metrics = {name: float(number or 0) for name, number in zip(METRICS, numbers, strict=True)}
        return Probe(Health.HEALTHY, version=version or "", metrics=metrics)

    def secluded(self) -> ServiceSpec:
        service = self.service()
        return replace(service, argv=(*service.argv, "-c", "listen_addresses="))

    def ask_for_tls(self, connection: socket.socket) -> bool:
        connection.sendall(wire.SSL_REQUEST)
        return connection.recv(1) == b"S"

    def reload_certificates(self) -> None:
        if files.listening(self.socket):
            self.reload()

    @property
    def _configuration(self) -> Path:
        return self.site.state / "postgresql.conf"

    def _initialise(self, draft: Path) -> None:
        place = LAYOUT.place(self.site.root)
        programs.run(
            place / "initdb", f"--pgdata={draft}", f"--username={ADMINISTRATOR}", "--encoding=UTF8", "--locale=C.UTF-8",
            "--data-checksums", "--auth-local=peer", "--auth-host=reject", "--no-instructions", "--no-sync",
        )  # fmt: skip
        statements = "".join(f"{' '.join(each.split())}\n" for each in (LOCK_UP, MASTER))
        programs.run(place / "postgres", "--single", "-F", "-D", draft, HOME, stdin=statements)
        programs.run(place / "initdb", "--sync-only", f"--pgdata={draft}")

    def _check(self, text: str) -> None:
        """The server reads the file before it has to live by it. Raises Unprocessable with its words."""
        draft = self.site.state / "postgresql.conf.check"
        files.write(draft, text)
        try:
            programs.run(LAYOUT.place(self.site.root) / "postgres", "-C", "port", "-c", f"config_file={draft}")
        except errors.GuestFailed as error:
            _, _, words = error.message.partition(": ")
            raise errors.Unprocessable(words) from error
        finally:
            draft.unlink()
