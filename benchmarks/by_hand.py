"""Making a database by hand: initialise a data directory, start the server, ask it once. fsync is on.

What every figure of ours stands beside. Each function returns the seconds it took, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pg8000.native
import pymysql

from argosy.testing import claims

NOBODY = 65534
POSTGRESQL = Path("/usr/lib/postgresql/15/bin")


def postgresql() -> float:
    with _place() as place:
        begun = time.perf_counter()
        data, port = place / "data", claims.port()
        _run(POSTGRESQL / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-instructions")
        server = (POSTGRESQL / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", place)
        with serving(place, *server):
            until(lambda: _ask_postgresql(port))
            return time.perf_counter() - begun


def _ask_postgresql(port: int) -> None:
    session = pg8000.native.Connection("postgres", host="127.0.0.1", port=port, database="postgres")
    assert session.run("SELECT 1") == [[1]]
    session.close()


def mariadb() -> float:
    with _place() as place:
        begun = time.perf_counter()
        data, door = place / "data", place / "s"
        _run("mariadb-install-db", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db")
        server = ("mariadbd", f"--datadir={data}", f"--socket={door}", "--skip-networking", f"--pid-file={place}/p")
        with serving(place, shutil.which("mariadbd") or "/usr/sbin/mariadbd", *server[1:]):
            until(lambda: _ask_mariadb(door))
            return time.perf_counter() - begun


def _ask_mariadb(door: Path) -> None:
    session = pymysql.connect(unix_socket=str(door), user="root")
    with session.cursor() as cursor:
        assert cursor.execute("SELECT 1") == 1
    session.close()


def redis() -> float:
    with _place() as place:
        begun = time.perf_counter()
        port = claims.port()
        with serving(place, "redis-server", "--port", str(port), "--dir", place, "--appendonly", "yes"):
            until(lambda: _ask_redis(port))
            return time.perf_counter() - begun


def _ask_redis(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as session:
        session.sendall(b"PING\r\n")
        assert session.recv(64) == b"+PONG\r\n"


BY_HAND: Mapping[str, Callable[[], float]] = {"postgresql": postgresql, "mariadb": mariadb, "redis": redis}


@contextmanager
def _place() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="hand-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def _user() -> dict[str, int]:
    return {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}


def _run(*argv: object) -> None:
    subprocess.run([str(each) for each in argv], check=True, capture_output=True, cwd="/", **_user())  # type: ignore[call-overload]


@contextmanager
def serving(place: Path, *argv: object) -> Iterator[None]:
    """A server of nobody's, which is ended in its own way."""
    command = [str(each) for each in argv]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=place, **quiet, **_user())  # type: ignore[call-overload]
    try:
        yield
        assert server.poll() is None, f"{argv[0]} has ended by itself"
    finally:
        server.terminate()
        server.wait()


def until(ask: Callable[[], None], within: float = 60) -> None:
    end = time.perf_counter() + within
    while time.perf_counter() < end:
        with suppress(OSError, AssertionError, subprocess.CalledProcessError, pymysql.Error, pg8000.exceptions.Error):
            return ask()
        time.sleep(0.005)
    raise TimeoutError


def answers(*argv: object) -> None:
    """That a program which asks a server has been answered, within five minutes."""
    until(lambda: _asked([str(each) for each in argv]), within=300)


def _asked(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True)
