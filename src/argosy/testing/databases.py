"""Control databases for tests: SQLite files, and PostgreSQL and MariaDB servers in directories of their own.

They listen on Unix sockets only, run as a user without rights, and write without waiting for the disk.
"""

from __future__ import annotations

import contextlib
import copy
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from argosy.db.session import Database
from argosy.db.tables import Table
from argosy.testing.waiting import eventually

KINDS = ("sqlite", "postgresql", "mariadb")

UNPRIVILEGED = ("argosy", "postgres", "mysql", "nobody")
"""whom a server runs as when we are root: the first of them that exists"""

MEMORY = Path("/dev/shm")  # noqa: S108 - only directories with names of their own are made in it


@dataclass(frozen=True)
class Server:
    """A place where databases are made. `url` holds {name}."""

    kind: str
    url: str
    make: Callable[[str], None]
    _spare: list[Database] = field(default_factory=list)
    """open ones whose tables are there and empty: making them anew, and compiling every statement, takes seconds"""

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """A database with today's tables and nothing in them."""
        database = self._spare.pop() if self._spare else self._furnished()
        try:
            yield copy.copy(database)  # what a test hangs on its own does not outlive it
            with database.write() as session:
                for table in reversed(Table.metadata.sorted_tables):
                    session.execute(table.delete())
        except BaseException:
            database.engine.dispose()
            raise
        self._spare.append(database)

    @contextmanager
    def empty(self) -> Iterator[Database]:
        """A database without tables."""
        database = self._made()
        try:
            yield database
        finally:
            database.engine.dispose()

    def close(self) -> None:
        """Let go of what stands ready."""
        for database in self._spare:
            database.engine.dispose()

    def _furnished(self) -> Database:
        database = self._made()
        Table.metadata.create_all(database.engine)
        return database

    def _made(self) -> Database:
        name = f"argosy_{uuid.uuid4().hex[:12]}"
        self.make(name)
        return Database(self.url.format(name=name))


@contextmanager
def serve(kind: str, *, durable: bool = False) -> Iterator[Server]:
    """A server of this kind while the context lasts. Skips without its programs, or fails where REQUIRE_ENGINES names
    it. `durable`: it waits for the disk as it should, for measuring.
    """
    with _home(durable=durable) as home:
        if kind == "sqlite":
            with contextlib.closing(Server(kind, f"sqlite:///{home}/{{name}}.db", lambda _name: None)) as made:
                yield made
            return
        server = _postgresql if kind == "postgresql" else _mariadb
        with (
            server(home, durable=durable) as url,
            contextlib.closing(Server(kind, url, lambda name: _create(url, kind, name))) as made,
        ):
            yield made


def find(kind: str, program: str, *places: str) -> Path:
    """The newest of this program."""
    found = shutil.which(program)
    others = sorted((path for place in places for path in Path("/").glob(f"{place}/{program}")), key=_version)
    if not found and not others:
        missing = f"{program} of {kind} is not on this machine"
        pytest.fail(missing) if kind in os.environ.get("REQUIRE_ENGINES", "").split(",") else pytest.skip(missing)
    return Path(found) if found else others[-1]


def _version(path: Path) -> list[int]:
    return [int(part) for part in path.parts if part.isdigit()]


@contextmanager
def _home(*, durable: bool) -> Iterator[Path]:
    """A directory with a name short enough for sockets in it; in memory where there is such a place."""
    place = MEMORY if MEMORY.is_dir() and not durable else None
    with tempfile.TemporaryDirectory(prefix="ag-db-", dir=place) as directory:
        home = Path(directory)
        home.chmod(0o755)
        if os.geteuid() == 0:
            user = pwd.getpwnam(_user() or "root")
            os.chown(home, user.pw_uid, user.pw_gid)
        yield home


def _user() -> str | None:
    """Whom to become; None when we have no rights to give away."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known) if os.geteuid() == 0 else None


@contextmanager
def _postgresql(home: Path, *, durable: bool) -> Iterator[str]:
    initdb = find("postgresql", "initdb", "usr/lib/postgresql/*/bin")
    _run([initdb, "--pgdata", home / "data", "--username", "argosy", "--auth", "trust", "--no-sync"], home)
    options = ["listen_addresses=", f"unix_socket_directories={home}", "max_connections=200"]
    options += [] if durable else ["fsync=off"]
    command = [str(initdb.with_name("postgres")), f"-D{home}/data", *(f"--{option}" for option in options)]
    url = f"postgresql://argosy@/{{name}}?host={home}"
    with _running(command, home, url.format(name="postgres"), signal.SIGINT):
        yield url


@contextmanager
def _mariadb(home: Path, *, durable: bool) -> Iterator[str]:
    install = find("mariadb", "mariadb-install-db", "usr/bin")
    server = find("mariadb", "mariadbd", "usr/sbin")
    data = f"--datadir={home}/data"
    _run([install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"], home)
    options = ["--no-defaults", data, f"--socket={home}/s", "--skip-networking", f"--pid-file={home}/pid"]
    options += ["--max-connections=200", *([] if durable else ["--innodb-flush-log-at-trx-commit=0"])]
    url = f"mariadb://root@localhost/{{name}}?unix_socket={home}/s&charset=utf8mb4"
    with _running([server, *options], home, url.format(name="mysql"), signal.SIGTERM):
        yield url


def _run(command: Sequence[str | Path], home: Path) -> None:
    made = subprocess.run(command, user=_user(), cwd=home, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


@contextmanager
def _running(command: Sequence[str | Path], home: Path, url: str, stop: signal.Signals) -> Iterator[None]:
    """Not asked before its socket is there: a driver that is refused leaves a socket of its own behind."""
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, user=_user(), cwd=home, stdout=log, stderr=log)
    try:
        eventually(lambda: any(path.is_socket() for path in home.iterdir()) and _answers(url), within=60)
        yield
    finally:
        process.send_signal(stop)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar())
    except Exception:  # noqa: BLE001 - whatever it says, it is not ready
        return False
    finally:
        database.engine.dispose()


def _create(url: str, kind: str, name: str) -> None:
    maintenance = Database(url.format(name="postgres" if kind == "postgresql" else "mysql"))
    engine = create_engine(maintenance.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
