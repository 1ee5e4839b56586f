"""Users and databases of the MySQL family, by the administrator's socket. Passwords reach the server as hashes only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.base import Database, User
from argosy.engines.mysql import ENGINE, wire
from argosy.engines.mysql.wire import identifier, literal, native_hash, pattern
from argosy.model.guest import Secret, Site

ADMINISTRATOR = "os_admin"
PATIENCE = 60.0

MASTER_GLOBALLY = "PROCESS, RELOAD, SHOW DATABASES, BINLOG MONITOR, REPLICATION SLAVE, CREATE USER"
"""Not SUPER, FILE, SHUTDOWN or any other administration of the server."""

MASTER_IN_SYSTEM = {"mysql": "SELECT", "sys": "SELECT, EXECUTE"}
"""The narrower grant wins over that on `%`: the grant tables are read, not written. What accounts the master makes or
changes with CREATE USER it does by statements."""


class MysqlAccounts:
    """The facet Accounts."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def put_master(self, password: Secret) -> None:
        master = _account(ENGINE.master, "%")
        with self.session() as session:
            _put_account(session, master, password)
            session.query(f"GRANT {MASTER_GLOBALLY} ON *.* TO {master} WITH GRANT OPTION")
            session.query(f"GRANT ALL PRIVILEGES ON `%`.* TO {master} WITH GRANT OPTION")
            for database, rights in MASTER_IN_SYSTEM.items():
                session.query(f"GRANT {rights} ON {identifier(database)}.* TO {master}")

    def put_database(self, database: Database) -> None:
        options = "".join(
            f" {option} {_word(value)}"
            for option, value in (("CHARACTER SET", database.character_set), ("COLLATE", database.collate))
            if value
        )
        with self.session() as session:
            session.query(f"CREATE DATABASE IF NOT EXISTS {identifier(database.name)}{options}")

    def put_user(self, user: User) -> None:
        if user.name in ENGINE.names.reserved_users or not user.name:
            raise errors.BadRequest(f"the user name {user.name!r} is reserved")
        with self.session() as session:
            account = _account(user.name, user.host)
            _put_account(session, account, user.password)
            for database in user.databases:
                session.query(f"GRANT ALL PRIVILEGES ON {pattern(database)}.* TO {account}")

    def list_databases(self) -> Sequence[str]:
        with self.session() as session:
            names = session.query("SHOW DATABASES")
        return [str(name) for (name,) in names if name not in ENGINE.names.reserved_databases]

    def list_users(self) -> Sequence[str]:
        with self.session() as session:
            names = session.query("SELECT DISTINCT User FROM mysql.user WHERE is_role = 'N' ORDER BY User")
        return [str(name) for (name,) in names if name and name not in ENGINE.names.reserved_users]

    @property
    def socket(self) -> Path:
        return files.socket_path(self.site.state, "mysql.sock")

    @property
    def secret(self) -> Path:
        """The administrator's password: beside, never on, the data volume."""
        return self.site.state / "administrator"

    def connect(self, seconds: float) -> wire.Connection:
        return wire.Connection(self.socket, ADMINISTRATOR, self.secret.read_text(encoding="ascii"), seconds)

    @contextmanager
    def session(self) -> Iterator[wire.Connection]:
        """The administrator's connection. Its errors leave as GuestFailed with the server's words."""
        try:
            with self.connect(PATIENCE) as session:
                yield session
        except (OSError, wire.ServerError) as error:
            raise errors.GuestFailed(f"MariaDB: {error}") from error
        except ValueError as error:
            raise errors.BadRequest(str(error)) from error


def _account(name: str, host: str) -> str:
    return f"{identifier(name)}@{identifier(host)}"


def _put_account(session: wire.Connection, account: str, password: Secret) -> None:
    proof = f"IDENTIFIED VIA {wire.PLUGIN} USING {literal(native_hash(password.value))}"
    session.query(f"CREATE USER IF NOT EXISTS {account} {proof}")
    session.query(f"ALTER USER {account} {proof}")


def _word(name: str) -> str:
    """A character set or collation. Raises ValueError for what is no word."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError(f"{name!r} is not a character set or collation of MariaDB")
    return name
