"""The part of Redis's protocol (RESP2) that an agent needs: a page, where a client library costs 10 MB."""

from __future__ import annotations

from pathlib import Path

from argosy.engines.stream import LocalStream

Reply = str | int | None | list["Reply"]


class ServerError(Exception):
    """what the server answered instead, in its own words"""


def comes_or_goes(error: Exception) -> bool:
    """Whether the server loads its data just now."""
    return str(error).startswith("LOADING")


class Connection(LocalStream):
    """One session. Raises OSError when the server cannot be reached or `seconds` are over, else ServerError."""

    def __init__(self, path: Path, user: str, password: str, seconds: float) -> None:
        super().__init__(path, seconds)
        try:
            self.command("AUTH", user, password)
        except BaseException:
            self.close()
            raise

    def command(self, *words: str) -> Reply:
        parts = [word.encode() for word in words]
        self.send(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def _reply(self) -> Reply:
        line = self.line()
        kind, rest = line[:1], line[1:].decode(errors="replace")
        if kind == b"-":
            raise ServerError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        return rest

    def _bulk(self, length: int) -> str | None:
        if length < 0:
            return None
        return self.read(length + 2)[:-2].decode(errors="replace")
