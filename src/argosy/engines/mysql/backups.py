"""The MySQL family's backups: which strategy is done by whom, and where each stands in the server's history."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import copies, files
from argosy.engines.administration import translated
from argosy.engines.backups import SNAPSHOT, Layer, Order, Position, Taken
from argosy.engines.mysql import canaries as seen
from argosy.engines.mysql import holding, mariabackup, mysqldump, tools, wire
from argosy.engines.mysql.accounts import MysqlAccounts

MARIABACKUP, INCREMENT, MYSQLDUMP = "mariabackup", "mariabackup-incremental", "mysqldump"
MADE_ANEW = ("db/ibtmp1", "db/*.pid")
EXAMINED_WITHIN = 24 * 3600.0
"""a bound for what reads all data"""
WRITTEN_DOWN_WITHIN = 60.0
"""seconds, after which a snapshot is taken of a server as it is"""

NOW = "SELECT UNIX_TIMESTAMP(NOW(6))"
BINLOG = re.compile(
    r"filename '(?P<file>[^']+)', position '(?P<offset>\d+)', GTID of the last change '(?P<gtid>[^']*)'"
)


class MysqlBackups(MysqlAccounts):
    """The facet Backups."""

    def dump(self, strategy: str, order: Order, out: int) -> Taken:
        if strategy == SNAPSHOT:
            copies.dump(self.site.data, out, without=MADE_ANEW)
            return Taken()
        if strategy not in {MARIABACKUP, INCREMENT, MYSQLDUMP}:
            raise errors.BadRequest(f"MariaDB has no backups of the strategy {strategy!r}")
        dump = self._mysqldump if strategy == MYSQLDUMP else self._mariabackup
        with tools.login(order.scratch, self.socket, self.secret.read_text(encoding="ascii")) as login:
            position = dump(login, order, out)
        now = self._now()
        return Taken({**position, "at": now}, now)

    def load(self, layers: Sequence[Layer], scratch: Path) -> None:
        """The server that these data will have begins a history of its own."""
        self._history.unlink(missing_ok=True)
        if layers[0].strategy in {MARIABACKUP, INCREMENT}:
            mariabackup.load(self.site, layers, scratch)
            return
        [layer] = layers
        with layer.open() as source:
            if layer.strategy == SNAPSHOT:
                copies.load(self.site.data, source)
            else:
                mysqldump.load(self.site, source, scratch)

    def flush(self) -> None:
        judged = translated("MariaDB", wire.ServerError, wire.comes_or_goes)
        with judged, suppress(TimeoutError), self.connect(WRITTEN_DOWN_WITHIN) as session:
            holding.write_down(session)

    def quiesce(self, seconds: float) -> AbstractContextManager[Position]:
        return holding.held(self.connect, seconds, self._stand)

    def canaries(self) -> Mapping[str, Any]:
        with self.session() as session:
            return seen.take(session)

    def examine_restored(self, canaries: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.session(EXAMINED_WITHIN) as session:
            return {"checked": seen.check(session), "compared": seen.compare(session, canaries)}

    def begin_history(self) -> None:
        """Of data that are about to go on from here: numbers of the log mean nothing beyond it. Once for each server
        that is made, so that data which were brought back never pass for those that had gone further.
        """
        if not self._history.exists():
            files.write(self._history, secrets.token_hex(8))

    @property
    def _history(self) -> Path:
        return self.site.state / "history"

    def _mariabackup(self, login: str, order: Order, out: int) -> Position:
        self.begin_history()
        history = self._history.read_text(encoding="ascii")
        since = self._goes_on(order.since, history) if order.since is not None else ""
        told = mariabackup.dump(self.site, login, order.scratch, out, since=since)
        return {"history": history, "lsn": told["innodb_to_lsn"], **_binlog(told.get("binlog_pos", ""))}

    def _mysqldump(self, login: str, order: Order, out: int) -> Position:
        with self.session() as session:
            [(logs,)] = session.query("SELECT @@log_bin")
        return mysqldump.dump(self.site, login, order.scratch, out, logs=logs == "1")

    def _stand(self, session: wire.Connection) -> dict[str, Any]:
        """Of a server in which nobody commits."""
        [(now,)] = session.query(NOW)
        return {**position(session), "at": float(now or 0)}

    def _goes_on(self, since: Position, history: str) -> str:
        """The parent's LSN. A wrong one would make a backup that nobody can see to be useless."""
        lsn = str(since.get("lsn", ""))
        with self.session() as session:
            reached = holding.written(session)
        if since.get("history") != history or not lsn.isdecimal() or int(lsn) > reached:
            raise errors.Rejected(
                "the parent is not of the data as they are now, which were restored or moved since: take a full backup"
            )
        return lsn

    def _now(self) -> float:
        with self.session() as session:
            [(now,)] = session.query(NOW)
        return float(now or 0)


def position(session: wire.Connection) -> dict[str, Any]:
    """The end of the binary log; nothing where there is none."""
    for file, offset, *_ in session.query("SHOW MASTER STATUS"):
        [(gtid,)] = session.query("SELECT @@gtid_binlog_pos")
        return {"file": file, "offset": int(offset or 0), "gtid": gtid or ""}
    return {}


def _binlog(told: str) -> Position:
    """What the tool says of the binary log; nothing where there is none."""
    found = BINLOG.search(told)
    return {"file": found["file"], "offset": int(found["offset"]), "gtid": found["gtid"]} if found else {}
