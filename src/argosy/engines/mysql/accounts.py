"""Users and databases of the MySQL family, by the administrator's socket. Passwords reach the server as hashes only."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.accounts import Account, Database, User
from argosy.engines.administration import translated
from argosy.engines.mysql import ENGINE, wire
from argosy.engines.mysql.wire import escaped, identifier, literal, native_hash, pattern, quoted
from argosy.model.guest import Secret, Site, TlsMode

ADMINISTRATOR = "os_admin"
MASTER = Account(ENGINE.master)
PATIENCE = 60.0

SILENCE = "SET SESSION sql_log_off = 1, slow_query_log = 0"

OUR_USERS = frozenset({ADMINISTRATOR, "mariadb.sys", "mysql.sys", "mysql.session", "PUBLIC", ""})

MASTER_GLOBALLY = "PROCESS, RELOAD, SHOW DATABASES, BINLOG MONITOR, REPLICATION SLAVE, CREATE USER"
"""Not SUPER, FILE, SHUTDOWN or any other administration of the server."""

MASTER_IN_SYSTEM = {"mysql": "SELECT", "sys": "SELECT, EXECUTE"}
"""The narrower grant wins over that on `%`: the grant tables are read, not written. What accounts the master makes or
changes with CREATE USER it does by statements."""

LOCKS = "SET lock_wait_timeout = 10"
"""seconds; queueing behind a long transaction would hold up everybody who comes later"""

ACCESS = """
SELECT DISTINCT mysql.db.User, mysql.db.Host, SCHEMA_NAME FROM mysql.db
JOIN information_schema.SCHEMATA ON SCHEMA_NAME LIKE mysql.db.Db COLLATE utf8mb3_bin ESCAPE CHAR(92)"""


class MysqlAccounts:
    """The facet Accounts."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def put_master(self, password: Secret) -> None:
        master = _account(MASTER)
        with self.session() as session:
            _put_account(session, master, password)
            self.demand_certificates(session)
            session.query(f"ALTER USER {master} ACCOUNT UNLOCK")
            session.query(f"GRANT {MASTER_GLOBALLY} ON *.* TO {master} WITH GRANT OPTION")
            session.query(f"GRANT ALL PRIVILEGES ON `%`.* TO {master} WITH GRANT OPTION")
            for database, rights in MASTER_IN_SYSTEM.items():
                session.query(f"GRANT {rights} ON {identifier(database)}.* TO {master}")

    def disable_master(self) -> None:
        """Until the next `put_master`. Locked, not dropped: views and routines that it has defined go on working."""
        with self.session() as session:
            session.query(f"ALTER USER {_account(MASTER)} ACCOUNT LOCK")
            _end_sessions(session, MASTER)

    def list_databases(self) -> Sequence[str]:
        with self.session() as session:
            names = session.query("SHOW DATABASES")
        return [str(name) for (name,) in names if name not in ENGINE.names.reserved_databases]

    def put_database(self, database: Database) -> None:
        options = "".join(
            f" {option} {_word(value)}"
            for option, value in (("CHARACTER SET", database.character_set), ("COLLATE", database.collate))
            if value
        )
        with self.session() as session:
            session.query(f"CREATE DATABASE IF NOT EXISTS {identifier(database.name)}{options}")

    def drop_database(self, name: str) -> None:
        """Rights in it go too: the server would keep them for the next database of that name."""
        _refuse(name, ENGINE.names.reserved_databases)
        with self.session() as session:
            session.query(LOCKS)
            session.query(f"DROP DATABASE IF EXISTS {identifier(name)}")
            for account, granted in _grants(session, name):
                _revoke(session, account, granted)

    def list_users(self) -> Sequence[Account]:
        with self.session() as session:
            rows = session.query("SELECT User, Host FROM mysql.user WHERE is_role = 'N'")
        reserved = ENGINE.names.reserved_users
        return [Account(str(name), str(host)) for name, host in rows if name and name not in reserved]

    def access(self, accounts: Sequence[Account]) -> Mapping[Account, Sequence[str]]:
        """Databases that a user's rights are for, by name or by pattern. What it may do everywhere is not told."""
        found: dict[Account, list[str]] = {each: [] for each in accounts}
        names = ", ".join(literal(each) for each in dict.fromkeys(each.name for each in accounts))
        with self.session() as session:
            rows = session.query(f"{ACCESS} WHERE mysql.db.User IN ({names}) ORDER BY SCHEMA_NAME")
        for name, host, database in rows:
            account = Account(str(name), str(host))
            if account in found and database not in ENGINE.names.reserved_databases:
                found[account].append(str(database))
        return found

    def put_user(self, user: User) -> None:
        _refuse(user.name, ENGINE.names.reserved_users)
        with self.session() as session:
            _put_account(session, _account(user.account), user.password)
            self.demand_certificates(session)
        self.grant(user.account, user.databases)

    def drop_user(self, account: Account) -> None:
        _refuse(account.name, ENGINE.names.reserved_users)
        with self.session() as session:
            session.query(f"DROP USER IF EXISTS {_account(account)}")
            _end_sessions(session, account)

    def set_password(self, account: Account, password: Secret) -> None:
        _refuse(account.name, ENGINE.names.reserved_users)
        with self.session() as session:
            session.query(f"ALTER USER {_account(account)} {_proof(password)}")

    def rename_user(self, account: Account, new: Account) -> None:
        for each in (account, new):
            _refuse(each.name, ENGINE.names.reserved_users)
        with self.session() as session:
            if _exists(session, account):
                session.query(f"RENAME USER {_account(account)} TO {_account(new)}")

    def grant(self, account: Account, databases: Sequence[str]) -> None:
        _refuse(account.name, ENGINE.names.reserved_users)
        with self.session() as session:
            for database in databases:
                _refuse(database, ENGINE.names.reserved_databases)
                session.query(f"GRANT ALL PRIVILEGES ON {pattern(database)}.* TO {_account(account)}")

    def revoke(self, account: Account, database: str) -> None:
        """Sessions that are in the database end: they would keep their rights in it until they leave it."""
        _refuse(account.name, ENGINE.names.reserved_users)
        with self.session() as session:
            for other, granted in _grants(session, database):
                if other == account:
                    _revoke(session, account, granted)
            _end_sessions(session, account, database)
        if database in self.access([account])[account]:
            raise errors.Conflict(
                f"{account.name} still may enter {database}, by a right for a pattern of names: revoke that by SQL"
            )

    def demand_certificates(self, session: wire.Connection) -> None:
        """Of every account of the tenant where TLS is mutual, of none elsewhere: the server asks account by account."""
        wanted = "X509" if self.site.tls is TlsMode.MTLS else ""
        for name, host, asked in session.query("SELECT User, Host, ssl_type FROM mysql.user WHERE is_role = 'N'"):
            if name not in OUR_USERS and asked != wanted:
                session.query(f"ALTER USER {_account(Account(str(name), str(host)))} REQUIRE {wanted or 'NONE'}")

    @property
    def socket(self) -> Path:
        return files.socket_path(self.site.state, "mysql.sock")

    @property
    def secret(self) -> Path:
        """The administrator's password: beside, never on, the data volume."""
        return self.site.state / "administrator"

    def connect(self, seconds: float) -> wire.Connection:
        """A session whose statements, in which passwords are changed, are in no log that a tenant can have written."""
        session = wire.Connection(self.socket, ADMINISTRATOR, self.secret.read_text(encoding="ascii"), seconds)
        try:
            session.query(SILENCE)
        except BaseException:
            session.close()
            raise
        return session

    @contextmanager
    def session(self, seconds: float = PATIENCE) -> Iterator[wire.Connection]:
        """The administrator's connection. Raises Unavailable, GuestFailed, BadRequest."""
        with translated("MariaDB", wire.ServerError, wire.comes_or_goes), self.connect(seconds) as session:
            yield session


def _refuse(name: str, reserved: Collection[str]) -> None:
    """Raises BadRequest for what is the system's."""
    if not name or name in reserved:
        raise errors.BadRequest(f"the name {name!r} is reserved")


def _account(account: Account) -> str:
    return f"{identifier(account.name)}@{identifier(account.host)}"


def _proof(password: Secret) -> str:
    return f"IDENTIFIED VIA {wire.PLUGIN} USING {literal(native_hash(password.value))}"


def _put_account(session: wire.Connection, account: str, password: Secret) -> None:
    session.query(f"CREATE USER IF NOT EXISTS {account} {_proof(password)}")
    session.query(f"ALTER USER {account} {_proof(password)}")


def _exists(session: wire.Connection, account: Account) -> bool:
    where = f"User = {literal(account.name)} AND Host = {literal(account.host)}"
    return bool(session.query(f"SELECT 1 FROM mysql.global_priv WHERE {where}"))


def _grants(session: wire.Connection, database: str) -> Sequence[tuple[Account, str]]:
    """Whose rights are for exactly this database, and its name as they write it: escaped as a pattern, or not."""
    spellings = ", ".join(literal(each) for each in (database, escaped(database)))
    rows = session.query(f"SELECT User, Host, Db FROM mysql.db WHERE Db IN ({spellings})")
    return [(Account(str(name), str(host)), str(granted)) for name, host, granted in rows]


def _revoke(session: wire.Connection, account: Account, granted: str) -> None:
    """Without rights the server drops the row, so they go last."""
    for rights in ("GRANT OPTION", "ALL PRIVILEGES"):
        session.query(f"REVOKE {rights} ON {quoted(granted)}.* FROM {_account(account)}")


def _end_sessions(session: wire.Connection, account: Account, database: str = "") -> None:
    """In the database or anywhere. The server does not tell by which of several accounts of one name somebody came in:
    whoever could have come by this one has to come again.
    """
    where = [f"USER = {literal(account.name)}"]
    if "/" not in account.host:
        where.append(f"LEFT(HOST, CHAR_LENGTH(HOST) - LOCATE(':', REVERSE(HOST))) LIKE {literal(account.host)}")
    if database:
        where.append(f"DB = {literal(database)}")
    for (process,) in session.query(f"SELECT ID FROM information_schema.PROCESSLIST WHERE {' AND '.join(where)}"):
        with contextlib.suppress(wire.ServerError):  # it has ended by itself
            session.query(f"KILL {process}")


def _word(name: str) -> str:
    """A character set or collation. Raises ValueError for what is no word."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError(f"{name!r} is not a character set or collation of MariaDB")
    return name
