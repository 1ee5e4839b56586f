"""Brings one MariaDB server to life and keeps it configured."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy.engines import files, programs
from argosy.engines.mysql import bootstrap, configuration, wire
from argosy.engines.mysql.accounts import ADMINISTRATOR
from argosy.engines.mysql.backups import MysqlBackups
from argosy.engines.mysql.excerpts import MysqlExcerpts
from argosy.engines.mysql.finder import LAYOUT, base, share
from argosy.engines.mysql.history import MysqlHistory
from argosy.engines.mysql.logs import MysqlLogs
from argosy.engines.mysql.upgrade import MysqlUpgrades
from argosy.model.guest import Health, Identity, Probe, Secret, ServiceSpec, TlsMode

PROBE_SECONDS = 1.5

METRICS: Mapping[str, str] = {
    "Threads_connected": "connections",
    "Threads_running": "active_connections",
    "Connection_errors_max_connections": "rejected_connections",
    "Bytes_received": "received_bytes",
    "Bytes_sent": "sent_bytes",
    "Uptime": "uptime_seconds",
    "Com_commit": "commits",
    "Com_rollback": "rollbacks",
    "Questions": "queries",
    "Slow_queries": "slow_queries",
    "Innodb_buffer_pool_bytes_data": "buffer_pool_bytes",
    "Innodb_buffer_pool_reads": "blocks_read",
    "Innodb_buffer_pool_read_requests": "blocks_requested",
    "Innodb_deadlocks": "deadlocks",
}
"""Our name for each of MariaDB's."""

SEEN = "SELECT SUBSTRING_INDEX(VERSION(), '-', 1), @@max_connections, @@log_bin"
LOOK = "SHOW GLOBAL STATUS WHERE Variable_name IN (" + ", ".join(f"'{name}'" for name in METRICS) + ")"


class MysqlDriver(MysqlBackups, MysqlHistory, MysqlExcerpts, MysqlUpgrades, MysqlLogs):
    def install(self) -> None:
        """Built beside its place and renamed into it: what stands there is whole."""
        if self._data.exists():
            return
        draft = self._data.with_name("db.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        bootstrap.build(self.site.root, draft)
        files.sync_tree(draft)
        draft.rename(self._data)
        files.sync_directory(self.site.data)

    def adopt(self, identity: Identity) -> None:
        if not self.secret.exists():
            files.write(self.secret, Secret.generate().value)
        password = self.secret.read_text(encoding="ascii")
        init_file = self.site.state / "init.sql"
        wanted = {
            init_file: configuration.init_sql(ADMINISTRATOR, wire.native_hash(password)),
            self.site.state / "identity.cnf": configuration.identity_cnf(identity, init_file),
        }
        for path, text in wanted.items():
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                self._refuse_running()
                files.write(path, text)
        self.begin_history()
        self.prepare_log(identity.instance)

    def configure(self, overrides: Mapping[str, object]) -> bool:
        (self.site.data / "tmp").mkdir(mode=0o700, exist_ok=True)
        files.pipes(self.log_pipes().values())
        self.prepare_log()
        chosen = files.chosen(overrides)
        text = configuration.my_cnf(self.site, base(self.site.root), share(self.site.root), chosen)
        files.write(self._configuration, text)
        if not files.listening(self.socket):
            return False
        with self.session() as session:
            self.demand_certificates(session)
            own = dict.fromkeys(overrides.keys() - chosen.keys(), None)
            applied = _apply(session, {**own, **configuration.tunable(self.site, chosen)}, chosen.keys())
            return not (applied and _speaks_tls(session) == configuration.speaks_tls(self.site))

    def service(self) -> ServiceSpec:
        server = LAYOUT.place(self.site.root) / "mariadbd"
        return ServiceSpec((str(server), f"--defaults-file={self._configuration}"), environment=programs.ENVIRONMENT)

    def secluded(self) -> ServiceSpec:
        service = self.service()
        return replace(service, argv=(*service.argv, "--skip-networking"))

    def probe(self) -> Probe:
        try:
            with self.connect(PROBE_SECONDS) as session:
                [(version, most, logs)] = session.query(SEEN)
                facts = session.pairs(LOOK)
                if self.site.tls is TlsMode.MTLS:  # accounts that tenants made by SQL since need one from now on
                    self.demand_certificates(session)
        except TimeoutError:
            return Probe(Health.BLOCKED, f"MariaDB did not answer within {PROBE_SECONDS} s")
        except (OSError, errors.GuestFailed) as error:
            return Probe(Health.STARTING, str(error))
        except wire.ServerError as error:
            if error.code == wire.ACCESS_DENIED:
                return self._take_back()
            comes_or_goes = wire.comes_or_goes(error)
            return Probe(Health.STARTING if comes_or_goes else Health.BLOCKED, str(error))
        self.reserve_log()
        metrics = {ours: float(facts[theirs]) for theirs, ours in METRICS.items() if theirs in facts}
        metrics |= {"max_connections": float(most or 0), "log_written": float(logs or 0)}
        return Probe(Health.HEALTHY, version=version or "", metrics=metrics)

    def ask_for_tls(self, connection: socket.socket) -> bool:
        greeting = connection.recv(4096)
        if greeting[4:5] == bytes([wire.ERROR]):
            raise errors.Rejected("nobody may come in from this address")
        asked = wire.wants_tls(greeting)
        connection.sendall(asked)
        return bool(asked)

    def reload_certificates(self) -> None:
        if not files.listening(self.socket):
            return
        with self.session() as session:
            session.query("FLUSH SSL")

    @property
    def _data(self) -> Path:
        return self.site.data / "db"

    @property
    def _configuration(self) -> Path:
        return self.site.state / "my.cnf"

    def _take_back(self) -> Probe:
        """The master can change the administrator's account as any other: the server knows no accounts that it must
        leave alone. The next start gives the account back, ends whoever came in by it, and takes what they gave
        themselves.
        """
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.site.state / "mysql.pid").read_text(encoding="ascii")), signal.SIGTERM)
        return Probe(Health.STARTING, f"{ADMINISTRATOR} was changed by somebody: the server is started anew")

    def _refuse_running(self) -> None:
        if files.listening(self.socket):
            raise errors.GuestFailed(f"MariaDB runs on {self._data}: its identity cannot change now")


def _speaks_tls(session: wire.Connection) -> bool:
    """Whether it does by now: a running server learns or forgets it with its next start only."""
    return session.query("SELECT @@have_ssl") == [("YES",)]


def _apply(session: wire.Connection, wanted: Mapping[str, str | None], chosen: Collection[str]) -> bool:
    """Set what differs, None for the server's own default; false when some of it waits for a restart.

    Raises Unprocessable for one of the chosen that the server refuses.
    """
    have = session.pairs("SHOW GLOBAL VARIABLES")
    try:
        different = {name: value for name, value in wanted.items() if have.get(name) != value}
        late = [name for name, value in different.items() if not _set(session, name, value, name in chosen)]
    except wire.ServerError as error:
        raise errors.Unprocessable(str(error)) from error
    return not late


def _set(session: wire.Connection, name: str, value: str | None, chosen: bool) -> bool:
    """Raises ServerError where somebody chose a value that is none; what is ours may be set as far as it can be."""
    try:
        session.query(f"SET GLOBAL {name} = {_constant(value)}")
    except wire.ServerError as error:
        if chosen and error.code != wire.READ_ONLY_VARIABLE:
            raise
        return False
    return True


def _constant(value: str | None) -> str:
    if value is None:
        return "DEFAULT"
    return value if value.replace(".", "", 1).isdecimal() else wire.literal(value)
