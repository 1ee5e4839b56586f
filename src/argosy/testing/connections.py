"""Being a client of a database: over verified TLS, with the password that was told."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pg8000.native
import pymysql

from argosy.client.resources import Client, Document

PATIENCE = 10.0
"""Seconds for a connection and for an answer."""


@dataclass(frozen=True)
class Door:
    """How one user reaches one database."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    trust: ssl.SSLContext | None
    """None: without TLS"""
    database: str = ""

    def ask(self, statement: str) -> str:
        """The first value of the answer, as text. Raises what the engine's own client raises."""
        return ASK[self.scheme](self, statement)


def door(client: Client, instance: Document, password: str, *, user: str = "root", database: str = "") -> Door:
    endpoint = instance["endpoints"][0]
    trust = ssl.create_default_context(cadata=client.session.authority())
    return Door(endpoint["scheme"], endpoint["host"], endpoint["port"], user, password, trust, database)


def _postgresql(at: Door, statement: str) -> str:
    place: dict[str, Any] = {
        "host": at.host,
        "port": at.port,
        "database": at.database or "postgres",
        "timeout": PATIENCE,
    }
    session = pg8000.native.Connection(at.user, password=at.password, ssl_context=at.trust or False, **place)
    try:
        rows = session.run(statement)
        return str(rows[0][0]) if rows else ""
    finally:
        session.close()


def _mysql(at: Door, statement: str) -> str:
    session = pymysql.connect(
        host=at.host,
        port=at.port,
        user=at.user,
        password=at.password,
        database=at.database or None,
        ssl=at.trust,
        ssl_disabled=at.trust is None,
        connect_timeout=int(PATIENCE),
        autocommit=True,
    )
    with session, session.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return str(row[0]) if row else ""


def _redis(at: Door, statement: str) -> str:
    """Inline commands (Redis protocol specification): enough for words without spaces."""
    with socket.create_connection((at.host, at.port), PATIENCE) as plain:
        session = at.trust.wrap_socket(plain, server_hostname=at.host) if at.trust else plain
        with session, session.makefile("rwb") as stream:
            stream.write(f"AUTH {at.user} {at.password}\r\n{statement}\r\n".encode())
            stream.flush()
            for answer in (_reply(stream.readline()), _reply(first := stream.readline())):
                last = answer
            return _reply(stream.readline()) if first.startswith(b"$") and not first.startswith(b"$-") else last


def _reply(line: bytes) -> str:
    if line.startswith(b"-"):
        raise PermissionError(line.decode().strip())
    if not line:
        raise ConnectionResetError("the server closed the connection")
    return line.decode().strip().lstrip("+:")


ASK: Mapping[str, Callable[[Door, str], str]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "rediss": _redis,
    "redis": _redis,
}
