"""Whether the server writes a binary log, and how long it keeps it by itself: said by a file on its volume.

It writes none until somebody wants it, because a log costs a second sync with every commit; it begins to with a start
only. While it is written, commits may be found in it alone after a crash. So it is left off again between a clean end
of the server and its next start, and never else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from argosy.engines import files
from argosy.engines.mysql import binlog, configuration, wire
from argosy.engines.mysql.accounts import MysqlAccounts

KEPT_SECONDS, DROPPED_SECONDS = 86_400, 1
"""after which the server itself lets go of a file: an agent may be away for so long"""


class MysqlLogSwitch(MysqlAccounts):
    """What of the facet PointInTime has the log written, and where it is."""

    def log_ready(self) -> bool:
        with self.session() as session:
            return session.query("SELECT @@log_bin") == [("1",)]

    def log_want(self, wanted: bool) -> None:
        if wanted and not self._written:
            self._keep(DROPPED_SECONDS)
        elif not wanted and self._written:
            self._remember({})
            self._leave_off() if self._ended_cleanly() else self._keep(DROPPED_SECONDS)

    def prepare_log(self, owner: str = "") -> None:
        """Before the server starts. A copy of somebody else's volume has a log that nobody has asked for, and is whole
        without it (mysql/holding.py).
        """
        kept = configuration.kept_cnf(self.site)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        file = kept.with_name("owner")
        if owner and (not file.exists() or file.read_text(encoding="ascii") != owner):
            self._remember({})
            self._leave_off()
            files.write(file, owner)
        told = kept.read_text(encoding="ascii") if kept.exists() else ""
        if not told and not self._index():
            self._leave_off()
        elif "log_bin" not in told:  # of a release that said elsewhere that there is one
            self._keep(KEPT_SECONDS if self._marks() else DROPPED_SECONDS)

    @property
    def _written(self) -> bool:
        """From the next start on."""
        kept = configuration.kept_cnf(self.site)
        return kept.exists() and kept.read_text(encoding="ascii") != configuration.UNLOGGED

    def _ended_cleanly(self) -> bool:
        """Whether the tables have all that the log has: asked of a server that was stopped."""
        last = [self._path(name) for name in self._index()[-1:]]
        return not any(path.exists() and binlog.in_use(path) for path in last)

    def _leave_off(self) -> None:
        """What was written goes, the index first. The numbers of transactions stay: a later log goes on with them."""
        log = configuration.binlog(self.site)
        log.with_suffix(".index").unlink(missing_ok=True)
        for path in log.parent.glob(f"{log.name}.[0-9]*"):
            path.unlink()
        self._say(configuration.UNLOGGED)

    def _keep(self, seconds: int, session: wire.Connection | None = None) -> None:
        """From now on, and after a restart."""
        self._say(configuration.kept(seconds))
        if session:
            session.query(f"SET GLOBAL binlog_expire_logs_seconds = {seconds}")
            session.query("FLUSH BINARY LOGS")

    def _say(self, text: str) -> None:
        """Durably: whatever ends the machine, the next start must be of the same mind."""
        kept = configuration.kept_cnf(self.site)
        files.write(kept, text)
        files.sync_directory(kept.parent)

    # --- what is on the volume ---

    def _index(self) -> list[str]:
        try:
            lines = configuration.binlog(self.site).with_suffix(".index").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return sorted(Path(line).name for line in lines)

    def _path(self, name: str) -> Path:
        return configuration.binlog(self.site).with_name(name)

    def _marks(self) -> dict[str, int]:
        """Of each file that is kept for somebody; none: nobody has asked."""
        try:
            marks: dict[str, int] = json.loads(self._memory.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {}
        return marks

    def _remember(self, marks: Mapping[str, int]) -> None:
        if marks != self._marks():
            files.write(self._memory, json.dumps(marks))

    @property
    def _memory(self) -> Path:
        return configuration.kept_cnf(self.site).with_name("kept.json")
