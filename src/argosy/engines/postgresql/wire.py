"""The part of PostgreSQL's protocol that an agent needs: simple queries over the local socket, as its own Unix user.

A page of standard library instead of a driver: it costs the agent neither 10 MB nor the 0.1 s that importing one takes
while somebody waits for a new database.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from argosy.engines.stream import LocalStream

VERSION_3 = 196608
SSL_REQUEST = struct.pack("!ii", 8, 80877103)

SESSION = {
    "application_name": "argosy",
    "client_encoding": "UTF8",
    "search_path": "pg_catalog",
    "default_transaction_read_only": "off",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_duration": "off",
}
"""The search path keeps the administrator from calling what a tenant has put into a schema of theirs; and whatever a
tenant has the server log, the administrator's statements, in which passwords are changed, are not in it.
"""

Row = tuple[str | None, ...]


class ServerError(Exception):
    """what the server answered instead: its SQLSTATE and its own words"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


COMES_OR_GOES = frozenset({"57P01", "57P02", "57P03"})
"""It was told to stop, a process of it has crashed, or it starts just now."""


def comes_or_goes(error: Exception) -> bool:
    return isinstance(error, ServerError) and error.code in COMES_OR_GOES


class Connection(LocalStream):
    """One session. Raises OSError when the server cannot be reached or `seconds` are over, else ServerError."""

    def __init__(self, path: Path, user: str, database: str, seconds: float) -> None:
        super().__init__(path, seconds)
        try:
            self._start(user, database)
        except BaseException:
            self.close()
            raise

    def query(self, sql: str) -> list[Row]:
        """The rows of the last statement, as text."""
        body = _text(sql)
        self.send(b"Q" + struct.pack("!i", len(body) + 4) + body)
        rows: list[Row] = []
        for kind, body in self._answers():
            if kind == b"T":
                rows = []
            elif kind == b"D":
                rows.append(_row(body))
        return rows

    def _start(self, user: str, database: str) -> None:
        words = [word for pair in {"user": user, "database": database, **SESSION}.items() for word in pair]
        body = struct.pack("!i", VERSION_3) + b"".join(_text(word) for word in words) + b"\0"
        self.send(struct.pack("!i", len(body) + 4) + body)
        for kind, body in self._answers():
            if kind == b"R" and body[:4] != b"\0\0\0\0":
                raise ServerError("28000", "the server wants a password of its own administrator")

    def _answers(self) -> Iterator[tuple[bytes, bytes]]:
        """Messages until the server is ready for the next query; its error, if any, is raised then."""
        fault: ServerError | None = None
        while True:
            kind, body = self._message()
            if kind == b"E":
                fault = _error(body)
                if b"\0VFATAL\0" in body:
                    raise fault
            elif kind == b"Z":
                break
            else:
                yield kind, body
        if fault:
            raise fault

    def _message(self) -> tuple[bytes, bytes]:
        head = self.read(5)
        return head[:1], self.read(struct.unpack("!i", head[1:])[0] - 4)


def identifier(name: str) -> str:
    """The name, quoted. Raises ValueError for one that the server would cut or could not hold."""
    if not name or "\0" in name or len(name.encode()) > 63:
        raise ValueError(f"{name!r} cannot be a name in PostgreSQL: use 1 to 63 bytes without NUL")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """The value as a string constant, whatever the session thinks of backslashes. Raises ValueError for NUL."""
    if "\0" in value:
        raise ValueError("PostgreSQL cannot hold NUL in a text")
    return " E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _row(body: bytes) -> Row:
    columns: list[str | None] = []
    at = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        length = struct.unpack_from("!i", body, at)[0]
        at += 4
        columns.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return tuple(columns)


def _error(body: bytes) -> ServerError:
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return ServerError(fields.get(b"C", ""), fields.get(b"M", "the server reported an error without words"))
