"""PostgreSQL's logs: one stream, in which every entry tells what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from argosy.engines.postgresql import ENGINE
from argosy.engines.postgresql.accounts import PostgresqlAccounts

ENTRY = re.compile(rb"\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] .*?\b([A-Z]+\d?):  (statement: |execute |duration: )?")
"""As `log_line_prefix` makes it begin."""
FURTHER = (b"DETAIL", b"HINT", b"QUERY", b"CONTEXT", b"STATEMENT", b"LOCATION")
"""What stands below an entry and belongs to it."""
SWITCHES = ",".join(f"'{each.switch.setting}'" for each in ENGINE.logs if each.switch)
SHOW = f"SELECT name, setting FROM pg_file_settings WHERE applied AND name IN ({SWITCHES})"  # noqa: S608 - our own
"""What the server has read from its files: a session of ours has these settings otherwise."""


class PostgresqlLogs(PostgresqlAccounts):
    """The facet Logs."""

    def log_pipes(self) -> Mapping[str, Path]:
        return {}

    def log_kept(self, log: str, line: bytes) -> bytes:  # noqa: ARG002 - sessions of ours log nothing
        return line

    def log_of(self, line: bytes) -> str:
        entry = ENTRY.match(line)
        if entry is None or entry[1] in FURTHER:
            return ""
        if entry[1] != b"LOG" or entry[2] is None:
            return "error"
        return "slow_query" if entry[2] == b"duration: " else "general"

    def log_memory(self, since: str) -> tuple[Mapping[str, bytes], str]:
        return {}, since

    def logs_on(self) -> frozenset[str]:
        with self.session() as session:
            settings = {str(name): value for name, value in session.query(SHOW)}
        return frozenset(each.name for each in ENGINE.logs if each.switch is None or each.switch.is_on(settings))
