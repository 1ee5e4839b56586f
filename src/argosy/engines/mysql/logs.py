"""MariaDB's logs: it writes statements to named pipes, and everything else to its standard error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from argosy.engines.mysql import ENGINE
from argosy.engines.mysql.accounts import ADMINISTRATOR, SILENCE, MysqlAccounts
from argosy.engines.mysql.configuration import pipe

OURS = re.compile(rb"\t\s*\d+ (Connect\t%b@localhost .*|Query\t%b)\n" % (ADMINISTRATOR.encode(), SILENCE.encode()))
"""The two entries that a session of ours makes before it is silent."""
SHOW = "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" + (
    ", ".join(f"'{each.switch.setting}'" for each in ENGINE.logs if each.switch) + ")"
)


class MysqlLogs(MysqlAccounts):
    """The facet Logs."""

    _time = b""
    """of an entry that was left out: entries of the same second do not repeat it"""

    def log_pipes(self) -> Mapping[str, Path]:
        return {each.name: pipe(self.site, each.name) for each in ENGINE.logs if each.switch}

    def log_kept(self, log: str, line: bytes) -> bytes:
        if log != "general":
            return line
        time, _, rest = line.partition(b"\t")
        if OURS.search(line):
            self._time = time or self._time
            return b""
        if time or not self._time or not rest.startswith(b"\t"):
            return line
        told, self._time = self._time, b""
        return told + rest

    def log_of(self, line: bytes) -> str:  # noqa: ARG002 - all of it is one log
        return "error"

    def log_memory(self, since: str) -> tuple[Mapping[str, bytes], str]:
        return {}, since

    def logs_on(self) -> frozenset[str]:
        with self.session() as session:
            settings = session.pairs(SHOW)
        return frozenset(each.name for each in ENGINE.logs if each.switch is None or each.switch.is_on(settings))
