"""The MySQL family's backups: which strategy is done by whom, and where each stands in the server's history."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from argosy import errors
from argosy.engines import copies, files
from argosy.engines.backups import SNAPSHOT, Layer, Order, Position, Taken
from argosy.engines.mysql import mariabackup, tools
from argosy.engines.mysql.accounts import MysqlAccounts

MARIABACKUP, INCREMENT = "mariabackup", "mariabackup-incremental"
MADE_ANEW = ("db/ibtmp1", "db/*.pid")

NOW = "SELECT UNIX_TIMESTAMP(NOW(6))"
LSN = "SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'"
BINLOG = re.compile(
    r"filename '(?P<file>[^']+)', position '(?P<offset>\d+)', GTID of the last change '(?P<gtid>[^']*)'"
)


class MysqlBackups(MysqlAccounts):
    """The facet Backups."""

    def dump(self, strategy: str, order: Order, out: int) -> Taken:
        if strategy == SNAPSHOT:
            copies.dump(self.site.data, out, without=MADE_ANEW)
            return Taken()
        if strategy in {MARIABACKUP, INCREMENT}:
            return self._mariabackup(order, out)
        raise errors.BadRequest(f"MariaDB has no backups of the strategy {strategy!r}")

    def load(self, layers: Sequence[Layer], scratch: Path) -> None:
        if layers[0].strategy == SNAPSHOT:
            with layers[0].open() as source:
                copies.load(self.site.data, source)
        else:
            mariabackup.load(self.site, layers, scratch)

    def begin_history(self) -> None:
        """Of data that are about to go on from here: numbers of the log mean nothing beyond it. Once for each server
        that is made, so that data which were brought back never pass for those that had gone further.
        """
        if not self._history.exists():
            files.write(self._history, secrets.token_hex(8))

    @property
    def _history(self) -> Path:
        return self.site.state / "history"

    def _mariabackup(self, order: Order, out: int) -> Taken:
        history = self._history.read_text(encoding="ascii")
        since = self._goes_on(order.since, history) if order.since is not None else ""
        password = self.secret.read_text(encoding="ascii")
        with tools.login(order.scratch, self.socket, password) as login:
            told = mariabackup.dump(self.site, login, order.scratch, out, since=since)
        position = {"history": history, "lsn": told["innodb_to_lsn"], **_binlog(told.get("binlog_pos", ""))}
        return Taken(position, self._now())

    def _goes_on(self, since: Position, history: str) -> str:
        """The parent's LSN. A wrong one would make a backup that nobody can see to be useless."""
        lsn = str(since.get("lsn", ""))
        with self.session() as session:
            [(_, reached)] = session.query(LSN)
        if since.get("history") != history or not lsn.isdecimal() or int(lsn) > int(reached or 0):
            raise errors.Rejected(
                "the parent is not of the data as they are now, which were restored or moved since: take a full backup"
            )
        return lsn

    def _now(self) -> float:
        with self.session() as session:
            [(now,)] = session.query(NOW)
        return float(now or 0)


def _binlog(told: str) -> Position:
    """What the tool says of the binary log; nothing where there is none."""
    found = BINLOG.search(told)
    return {"file": found["file"], "offset": int(found["offset"]), "gtid": found["gtid"]} if found else {}
