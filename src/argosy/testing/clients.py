"""Tenants of a database: what they do with it, the same for every engine, by the public drivers of each."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

SECONDS = 10
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL's: its own length, and a number that no version of the protocol has."""


class Refused(Exception):
    """the server, or the client's own check of it, did not let the tenant in or do it"""


@dataclass(frozen=True)
class Login:
    host: str
    port: int
    user: str
    password: str
    authority: str = ""
    """PEM; the server's certificate is verified against it, name and all. Empty: plaintext."""
    database: str = ""
    pair: str = ""
    """PEM of a private key and its certificate, shown to the server; empty: none is"""
    patience: float = SECONDS

    @property
    def tls(self) -> ssl.SSLContext | None:
        """None for plaintext."""
        if not self.authority:
            return None
        context = ssl.create_default_context(cadata=self.authority)
        if self.pair:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.pair)
                file.flush()
                context.load_cert_chain(file.name)
        return context


class Tenant(Protocol):
    """One connection. Everything raises Refused."""

    def write(self, key: str, value: str) -> None: ...

    def read(self, key: str) -> str | None: ...

    def run(self, statement: str) -> Any:
        """A statement in the engine's own language, for what only one engine has."""

    def certificate(self) -> bytes:
        """What the server showed, DER."""

    def close(self) -> None: ...


class Postgresql:
    def __init__(self, login: Login) -> None:
        from pg8000 import exceptions, native

        self._refusals = (exceptions.InterfaceError, exceptions.DatabaseError, OSError)
        with _refusing(*self._refusals):
            self._channel = _channel(login)
            with _closing_in_vain(self._channel):  # the driver leaves it open when the server hangs up too early
                self._connection = native.Connection(
                    login.user, password=login.password, sock=self._channel, ssl_context=False,
                    database=login.database or "postgres",
                )  # fmt: skip

    def write(self, key: str, value: str) -> None:
        self.run("CREATE TABLE IF NOT EXISTS kept (key text PRIMARY KEY, value text)")
        with _refusing(*self._refusals):
            self._connection.run("INSERT INTO kept VALUES (:key, :value)", key=key, value=value)

    def read(self, key: str) -> str | None:
        with _refusing(*self._refusals):
            rows = self._connection.run("SELECT value FROM kept WHERE key = :key", key=key)
        return str(rows[0][0]) if rows else None

    def run(self, statement: str) -> Any:
        with _refusing(*self._refusals):
            return self._connection.run(statement)

    def certificate(self) -> bytes:
        return _shown(self._channel)

    def close(self) -> None:
        with _refusing(*self._refusals), _closing_in_vain(self._channel):
            self._connection.close()


class Mysql:
    def __init__(self, login: Login) -> None:
        import pymysql

        self._database = login.database
        self._table = "kept" if login.database else "kept.kept"
        self._refusals = (pymysql.MySQLError, OSError)
        with _refusing(*self._refusals):
            self._connection = pymysql.connect(
                host=login.host, port=login.port, user=login.user, password=login.password.encode(), ssl=login.tls,
                ssl_disabled=not login.authority, database=login.database or None, autocommit=True,
                connect_timeout=SECONDS, read_timeout=SECONDS,
            )  # fmt: skip

    def write(self, key: str, value: str) -> None:
        if not self._database:
            self.run("CREATE DATABASE IF NOT EXISTS kept")
        self.run(f"CREATE TABLE IF NOT EXISTS {self._table} (`key` varchar(99) PRIMARY KEY, value text)")
        with _refusing(*self._refusals), self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {self._table} VALUES (%s, %s)", (key, value))  # noqa: S608 - our own name

    def read(self, key: str) -> str | None:
        with _refusing(*self._refusals), self._connection.cursor() as cursor:
            cursor.execute(f"SELECT value FROM {self._table} WHERE `key` = %s", (key,))  # noqa: S608 - our own name
            row = cursor.fetchone()
        return str(row[0]) if row else None

    def run(self, statement: str) -> Any:
        with _refusing(*self._refusals), self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def certificate(self) -> bytes:
        return _shown(self._connection._sock)  # type: ignore[attr-defined]  # noqa: SLF001 - the driver does not tell otherwise

    def close(self) -> None:
        with _refusing(*self._refusals):
            self._connection.close()


class Redis:
    def __init__(self, login: Login) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._refusals = (redis.RedisError, OSError)
        options: dict[str, Any] = {"ssl": True, "ssl_ca_data": login.authority} if login.authority else {}
        if login.pair:
            self._shown = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115 - read with each connection
            self._shown.write(login.pair)
            self._shown.flush()
            options |= {"ssl_certfile": self._shown.name, "ssl_keyfile": self._shown.name}
        self._client = redis.Redis(
            host=login.host, port=login.port, username=login.user, password=login.password, decode_responses=True,
            single_connection_client=False, socket_timeout=login.patience, retry=Retry(NoBackoff(), 0), **options,
        )  # fmt: skip
        self.run("PING")

    def write(self, key: str, value: str) -> None:
        with _refusing(*self._refusals):
            self._client.set(key, value)

    def read(self, key: str) -> str | None:
        with _refusing(*self._refusals):
            value = self._client.get(key)
        return None if value is None else str(value)

    def run(self, statement: str) -> Any:
        with _refusing(*self._refusals):
            return self._client.execute_command(*statement.split())  # type: ignore[no-untyped-call]

    def certificate(self) -> bytes:
        pool = self._client.connection_pool
        connection: Any = pool.get_connection()
        try:
            return _shown(connection._sock)  # noqa: SLF001 - the driver does not tell otherwise
        finally:
            pool.release(connection)

    def close(self) -> None:
        self._client.close()


CLIENTS: dict[str, Callable[[Login], Tenant]] = {"postgresql": Postgresql, "mysql": Mysql, "redis": Redis}
"""By engine."""


@contextmanager
def _refusing(*refusals: type[Exception]) -> Iterator[None]:
    try:
        yield
    except refusals as error:
        raise Refused(str(error)) from error


def _channel(login: Login) -> socket.socket:
    """To a PostgreSQL server, encrypted as its protocol has it. Raises OSError."""
    plain = socket.create_connection((login.host, login.port), SECONDS)
    trust = login.tls
    if trust is None:
        return plain
    with _closing_in_vain(plain):
        plain.sendall(SSL_REQUEST)
        if plain.recv(1) != b"S":
            raise ConnectionRefusedError("the server refuses TLS")
        return trust.wrap_socket(plain, server_hostname=login.host)


@contextmanager
def _closing_in_vain(channel: socket.socket) -> Iterator[None]:
    """For good, whoever else holds the channel, when something fails."""
    try:
        yield
    except BaseException:
        if (number := channel.detach()) >= 0:
            os.close(number)
        raise


def _shown(channel: socket.socket) -> bytes:
    return channel.getpeercert(binary_form=True) or b"" if isinstance(channel, ssl.SSLSocket) else b""
