"""The part of MySQL's protocol that an agent needs: text queries over the local socket with a native password.

A page of standard library: importing a driver takes 0.1 s while somebody waits for a new database.
"""

from __future__ import annotations

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

from argosy.engines.stream import LocalStream

SPEAKS_TLS = 0x800
CAPABILITIES = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000
"""long password, protocol 4.1, transactions, secure connection, plugin authentication"""
PLUGIN = "mysql_native_password"
UTF8MB4 = 45
PACKET_LIMIT = 0xFFFFFF

READ_ONLY_VARIABLE = 1238
ACCESS_DENIED = 1045
SERVER_IS_STARTING_OR_STOPPING = frozenset({1053, 1927})

QUIT, QUERY = b"\x01", b"\x03"
OK, ERROR, OTHER_PLUGIN, END = 0x00, 0xFF, 0xFE, 0xFE
NULL = 0xFB

Row = tuple[str | None, ...]


class ServerError(Exception):
    """what the server answered instead: its number and its own words"""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def comes_or_goes(error: Exception) -> bool:
    """Whether the server starts or stops just now."""
    return isinstance(error, ServerError) and error.code in SERVER_IS_STARTING_OR_STOPPING


class Connection(LocalStream):
    """One session. Raises OSError when the server cannot be reached or `seconds` are over, else ServerError."""

    def __init__(self, path: Path, user: str, password: str, seconds: float) -> None:
        super().__init__(path, seconds)
        try:
            self._log_in(user, password)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Says so first: a server counts and logs those who just vanish."""
        with contextlib.suppress(OSError):
            self._write(0, QUIT)
        super().close()

    def query(self, sql: str) -> list[Row]:
        """The rows of one statement, as text."""
        self._write(0, QUERY + sql.encode())
        head = self._packet()
        if head[0] == OK:
            return []
        columns = _length(head, 0)[0]
        for _ in range(columns + 1):
            self._packet()
        return [_row(packet, columns) for packet in self._rows()]

    def pairs(self, sql: str) -> dict[str, str]:
        """The answer of one of the statements that show names and values."""
        return {str(name): str(value) for name, value in self.query(sql)}

    def _log_in(self, user: str, password: str) -> None:
        salt = _salt(self._packet())
        proof = scramble(password, salt)
        head = struct.pack("<IIB23x", CAPABILITIES, PACKET_LIMIT, UTF8MB4)
        self._write(1, head + user.encode() + b"\0" + bytes([len(proof)]) + proof + PLUGIN.encode() + b"\0")
        answer = self._packet()
        if answer[0] == OTHER_PLUGIN:
            raise ServerError(1045, "the server wants another authentication of its administrator")

    def _rows(self) -> Iterator[bytes]:
        while True:
            packet = self._packet()
            if packet[0] == END and len(packet) < 9:
                return
            yield packet

    def _packet(self) -> bytes:
        head = self.read(4)
        packet = self.read(int.from_bytes(head[:3], "little"))
        if packet[0] == ERROR:
            raise _error(packet)
        return packet

    def _write(self, sequence: int, body: bytes) -> None:
        self.send(len(body).to_bytes(3, "little") + bytes([sequence]) + body)


def scramble(password: str, salt: bytes) -> bytes:
    """The proof of a native password: SHA1(password) XOR SHA1(salt + SHA1(SHA1(password)))."""
    first = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    second = hashlib.sha1(first, usedforsecurity=False).digest()
    mask = hashlib.sha1(salt + second, usedforsecurity=False).digest()
    return bytes(a ^ b for a, b in zip(first, mask, strict=True))


def native_hash(password: str) -> str:
    """What the server stores for a native password, so that the password itself need not reach it in a statement."""
    first = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(first, usedforsecurity=False).hexdigest().upper()


def identifier(name: str) -> str:
    """The name, quoted. Raises ValueError for one that the server could not hold."""
    if not name or "\0" in name or len(name) > 64 or name.endswith(" "):
        raise ValueError(f"{name!r} cannot be a name in MariaDB: use 1 to 64 characters, no NUL, no blank at the end")
    return quoted(name)


def quoted(name: str) -> str:
    """A name that the server itself has told."""
    return "`" + name.replace("`", "``") + "`"


def pattern(name: str) -> str:
    """The name where GRANT takes a pattern: without escapes, `a_b` would also open `axb`."""
    return escaped(identifier(name))


def escaped(name: str) -> str:
    """As the server keeps the pattern that means this name only."""
    return name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")


def literal(value: str) -> str:
    """The value as a string constant in any SQL mode: hexadecimal, when a backslash or quote would depend on it."""
    if all(each.isalnum() or each in "-_.*@% " for each in value) and value.isascii():
        return f"'{value}'"
    return f"CONVERT(X'{value.encode().hex()}' USING utf8mb4)"


def wants_tls(greeting: bytes) -> bytes:
    """What is said to a server before a handshake; nothing to one that offers none."""
    at = greeting.index(b"\0", 5) + 14
    if not int.from_bytes(greeting[at : at + 2], "little") & SPEAKS_TLS:
        return b""
    body = struct.pack("<IIB23x", CAPABILITIES | SPEAKS_TLS, PACKET_LIMIT, UTF8MB4)
    return len(body).to_bytes(3, "little") + b"\x01" + body


def _salt(greeting: bytes) -> bytes:
    """Twenty bytes, in two parts of the greeting behind the server's version."""
    at = greeting.index(b"\0", 1) + 5
    return greeting[at : at + 8] + greeting[at + 27 : at + 39]


def _error(packet: bytes) -> ServerError:
    return ServerError(struct.unpack_from("<H", packet, 1)[0], packet[9:].decode(errors="replace"))


def _row(packet: bytes, columns: int) -> Row:
    values: list[str | None] = []
    at = 0
    for _ in range(columns):
        if packet[at] == NULL:
            values.append(None)
            at += 1
        else:
            length, at = _length(packet, at)
            values.append(packet[at : at + length].decode(errors="replace"))
            at += length
    return tuple(values)


def _length(packet: bytes, at: int) -> tuple[int, int]:
    """A length-encoded number and where it ends."""
    first = packet[at]
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
    if not width:
        return first, at + 1
    return int.from_bytes(packet[at + 1 : at + 1 + width], "little"), at + 1 + width
