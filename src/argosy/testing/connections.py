"""Being a client of a database: over verified TLS, with the password that was told."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
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
    authority: str
    """PEM that the server's certificate is verified by; empty: without TLS"""
    database: str = ""

    def ask(self, statement: str) -> str:
        """The first value of the answer, as text. Raises what the engine's own client raises."""
        return ASK[self.scheme](self, statement)


def door(client: Client, instance: Document, password: str, *, user: str = "root", database: str = "") -> Door:
    endpoint = instance["endpoints"][0]
    authority = client.session.authority()
    return Door(endpoint["scheme"], endpoint["host"], endpoint["port"], user, password, authority, database)


def _postgresql(at: Door, statement: str) -> str:
    with tempfile.NamedTemporaryFile("w") as authority:  # libpq wants a file
        authority.write(at.authority)
        authority.flush()
        secure = {"sslmode": "verify-full", "sslrootcert": authority.name} if at.authority else {"sslmode": "disable"}
        place = {"host": at.host, "port": str(at.port), "dbname": at.database or "postgres"}
        settings: dict[str, Any] = {**place, **secure, "user": at.user, "password": at.password}
        with psycopg.connect(**settings, connect_timeout=int(PATIENCE), autocommit=True) as session:
            answer = session.execute(statement.encode())
            row = answer.fetchone() if answer.description else None
            return str(row[0]) if row else ""


def _trust(at: Door) -> ssl.SSLContext | None:
    return ssl.create_default_context(cadata=at.authority) if at.authority else None


def _mysql(at: Door, statement: str) -> str:
    session = pymysql.connect(
        host=at.host,
        port=at.port,
        user=at.user,
        password=at.password,
        database=at.database or None,
        ssl=_trust(at),
        ssl_disabled=not at.authority,
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
        trust = _trust(at)
        session = trust.wrap_socket(plain, server_hostname=at.host) if trust else plain
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
