"""Quoting, passwords and the small protocol clients."""

from __future__ import annotations

import base64
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from argosy.engines.mysql import wire as mysql
from argosy.engines.postgresql import scram
from argosy.engines.postgresql import wire as postgresql
from argosy.engines.redis import wire as redis
from argosy.engines.stream import LocalStream


@contextmanager
def serving(answer: bytes) -> Iterator[Path]:
    """A server that says this, whatever it hears, and then nothing."""
    with tempfile.TemporaryDirectory(prefix="ag-") as directory, socket.socket(socket.AF_UNIX) as door:
        path = Path(directory) / "socket"
        door.bind(str(path))
        door.listen()
        over = threading.Event()

        def serve() -> None:
            channel, _ = door.accept()
            with channel:
                channel.sendall(answer)
                over.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            over.set()
            thread.join()


def test_a_silent_server_costs_no_more_than_its_time() -> None:
    with serving(b"half a li") as path:
        started = time.monotonic()
        with LocalStream(path, 0.2) as stream, pytest.raises(TimeoutError):
            stream.line()
        assert time.monotonic() - started < 1


def test_redis_answers() -> None:
    with (
        serving(b"+OK\r\n*4\r\n$3\r\na\r\n\r\n:-7\r\n$-1\r\n*0\r\n") as path,
        redis.Connection(path, "u", "p", 5) as session,
    ):
        assert session.command("X") == ["a\r\n", -7, None, []]


def test_redis_errors_are_its_own_words() -> None:
    with serving(b"-WRONGPASS no\r\n") as path, pytest.raises(redis.ServerError, match="WRONGPASS no"):
        redis.Connection(path, "u", "p", 5)


def test_postgresql_refusal_has_its_code() -> None:
    body = b"SFATAL\0VFATAL\0C57P03\0Mstarting up\0\0"
    message = b"E" + (len(body) + 4).to_bytes(4, "big") + body
    with serving(message) as path, pytest.raises(postgresql.ServerError, match="starting up") as refusal:
        postgresql.Connection(path, "u", "d", 5)
    assert refusal.value.code == "57P03"


@pytest.mark.parametrize(
    ("name", "quoted"), [("plain", '"plain"'), ('a"b', '"a""b"'), ("Ä b'", '"Ä b\'"'), ("x" * 63, '"' + "x" * 63 + '"')]
)
def test_postgresql_identifiers(name: str, quoted: str) -> None:
    assert postgresql.identifier(name) == quoted


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ä" * 32])
def test_postgresql_refuses_names_that_it_would_cut(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        postgresql.identifier(name)


def test_postgresql_literals() -> None:
    assert postgresql.literal("o'\\") == " E'o''\\\\'"


@pytest.mark.parametrize(
    ("name", "quoted"), [("plain", "`plain`"), ("a`b", "`a``b`"), ("a_b%c", "`a\\_b\\%c`"), ("a\\b", "`a\\\\b`")]
)
def test_mysql_patterns_match_one_name_only(name: str, quoted: str) -> None:
    assert mysql.pattern(name) == quoted


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 65, "blank "])
def test_mysql_refuses_names_that_it_would_change(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        mysql.identifier(name)


def test_mysql_literals_need_no_quoting_rules() -> None:
    assert mysql.literal("utf8mb4") == "'utf8mb4'"
    assert mysql.literal("o'\\") == "CONVERT(X'6f275c' USING utf8mb4)"


def test_mysql_native_password() -> None:
    assert mysql.native_hash("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


def test_scram_verifier_of_the_rfc() -> None:
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert scram.verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_scram_salts_differ() -> None:
    assert scram.verifier("x") != scram.verifier("x")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("plain", "plain"),
        ("I\u00adX", "IX"),
        ("\u2168", "IX"),
        ("\u00a0é", " é"),
        ("\u0627\u2168", "\u0627\u2168"),
        ("\u00ad", "\u00ad"),
    ],
)
def test_saslprep(password: str, prepared: str) -> None:
    assert scram.prepared(password) == prepared
