"""Redis's logs: slow commands, which it keeps in its memory, and its standard output."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from argosy.engines.redis import ENGINE
from argosy.engines.redis.accounts import RedisAccounts
from argosy.engines.redis.wire import Reply

SLOW = "slow_query"
THRESHOLD = "slowlog-log-slower-than"
LATEST = "1000"
"""entries that are asked for at once; Redis keeps 128 unless it is told otherwise"""


class RedisLogs(RedisAccounts):
    """The facet Logs."""

    def log_pipes(self) -> Mapping[str, Path]:
        return {}

    def log_kept(self, log: str, line: bytes) -> bytes:  # noqa: ARG002 - there are no pipes
        return line

    def log_of(self, line: bytes) -> str:  # noqa: ARG002 - all of it is one log
        return "error"

    def log_memory(self, since: str) -> tuple[Mapping[str, bytes], str]:
        """Numbers begin again with every start of the server, so an entry is known by time and number."""
        with self.session() as session:
            entries = session.command("SLOWLOG", "GET", LATEST)
        assert isinstance(entries, list)  # noqa: S101 - what the protocol promises
        known = tuple(int(part) for part in since.split()) if since else (0, -1)
        fresh = sorted((key(each), each) for each in entries if key(each) > known)
        text = "".join(told(each) for _, each in fresh if not str(_field(each, 4)).startswith(str(self.socket)))
        latest = fresh[-1][0] if fresh else known
        return {SLOW: text.encode()}, f"{latest[0]} {latest[1]}"

    def logs_on(self) -> frozenset[str]:
        with self.session() as session:
            told = session.command("CONFIG", "GET", THRESHOLD)
        assert isinstance(told, list)  # noqa: S101 - what the protocol promises
        settings = dict(zip(told[::2], told[1::2], strict=True))
        return frozenset(
            each.name
            for each in ENGINE.logs
            if each.switch is None or each.switch.is_on({str(k): v for k, v in settings.items()})
        )


def key(entry: Reply) -> tuple[int, int]:
    return int(str(_field(entry, 1))), int(str(_field(entry, 0)))


def told(entry: Reply) -> str:
    """One line: when, how long, who, what."""
    number, at, micros, words, peer, name = (_field(entry, place) for place in range(6))
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(str(at))))
    command = " ".join(repr(str(word)) for word in words) if isinstance(words, list) else ""
    return f"{when} #{number} {micros} us {peer} {name or '-'} {command}\n"


def _field(entry: Reply, place: int) -> Reply:
    assert isinstance(entry, list)  # noqa: S101 - what the protocol promises
    return entry[place] if place < len(entry) else ""
