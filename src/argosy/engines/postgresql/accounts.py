"""Users and databases of PostgreSQL, by the administrator's socket. Passwords reach the server as verifiers only."""

from __future__ import annotations

import os
import pwd
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.accounts import Account, Database, User
from argosy.engines.administration import translated
from argosy.engines.postgresql import ENGINE, roles, wire
from argosy.engines.postgresql.wire import identifier, literal
from argosy.model.guest import Secret, Site

ADMINISTRATOR = "os_admin"
HOME = "postgres"
"""The database that the administrator works in."""

PATIENCE = 60.0
"""Seconds for one statement: CREATE DATABASE waits for a checkpoint on a busy disk."""

MASTER_ROLES = (
    "pg_monitor", "pg_read_all_data", "pg_write_all_data", "pg_signal_backend", "pg_checkpoint", "pg_maintain",
)  # fmt: skip
"""What the master is besides an owner, as far as the release has it. No role that reaches the server's files."""

GUARDED_ROLES = ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")
"""Until release 15, CREATEROLE may grant every role that is not a superuser's: the master could give itself programs
and files of the server, and with them the administrator. Nobody is a member of these roles and they cannot log in;
being superusers means only that nobody but a superuser can hand them out, which is the rule of later releases."""

MASTER = f"""
DO $$ DECLARE granted text; BEGIN
IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ENGINE.master}') THEN CREATE ROLE {ENGINE.master}; END IF;
ALTER ROLE {ENGINE.master} CREATEDB CREATEROLE;
FOR granted IN SELECT rolname FROM pg_roles WHERE rolname IN {MASTER_ROLES} LOOP
EXECUTE format('GRANT %I TO {ENGINE.master} WITH ADMIN OPTION', granted); END LOOP;
GRANT ALL ON DATABASE {HOME} TO {ENGINE.master};
GRANT ALL ON SCHEMA public TO {ENGINE.master};
UPDATE pg_authid SET rolsuper = true WHERE rolname IN {GUARDED_ROLES} AND NOT rolsuper
AND current_setting('server_version_num')::int < 160000;
END $$;
"""
"""Makes the master, or brings it up to what this release of ours gives it; a template has it without a password."""


class PostgresqlAccounts:
    """The facet Accounts."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def put_master(self, password: Secret) -> None:
        with self.session() as session:
            session.query(MASTER + roles.put("ALTER", ENGINE.master, password))

    def disable_master(self) -> None:
        """Until the next `put_master`; what it owns and may do is untouched."""
        with self.session() as session:
            session.query(f"ALTER ROLE {ENGINE.master} NOLOGIN PASSWORD NULL")
            session.query(roles.end_sessions(ENGINE.master))

    def list_databases(self) -> Sequence[str]:
        with self.session() as session:
            names = session.query("SELECT datname FROM pg_database ORDER BY datname")
        return [str(name) for (name,) in names if name not in ENGINE.names.reserved_databases]

    def put_database(self, database: Database) -> None:
        name = identifier(database.name)
        with self.session() as session:
            if not session.query(f"SELECT FROM pg_database WHERE datname = {literal(database.name)}"):
                session.query(f"CREATE DATABASE {name} {roles.locale(database)}")
            session.query(
                f"REVOKE ALL ON DATABASE {name} FROM PUBLIC; ALTER DATABASE {name} OWNER TO {identifier(ENGINE.master)}"
            )

    def drop_database(self, name: str) -> None:
        refuse(name, ENGINE.names.reserved_databases)
        with self.session() as session:
            session.query(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")

    def list_users(self) -> Sequence[Account]:
        with self.session() as session:
            names = session.query(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolcanlogin ORDER BY rolname"
            )
        return [Account(str(name)) for (name,) in names if name not in ENGINE.names.reserved_users]

    def access(self, accounts: Sequence[Account]) -> Mapping[Account, Sequence[str]]:
        found: dict[Account, list[str]] = {each: [] for each in accounts}
        with self.session() as session:
            rows = session.query(roles.entries([each.name for each in accounts]))
        for user, database in rows:
            if database not in ENGINE.names.reserved_databases:
                found[Account(str(user))].append(str(database))
        return found

    def put_user(self, user: User) -> None:
        refuse(user.name, ENGINE.names.reserved_users)
        with self.session() as session:
            known = session.query(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = {literal(user.name)}")
            if known == [("f",)]:
                raise errors.BadRequest(f"{user.name} is a role without a login already: choose another name")
            session.query(roles.put("ALTER" if known else "CREATE", user.name, user.password))
        self.grant(user.account, user.databases)

    def drop_user(self, account: Account) -> None:
        """Shut out first, and listed until it is gone: dropping may be tried again."""
        refuse(account.name, ENGINE.names.reserved_users)
        name = identifier(account.name)
        with self.session() as session:
            if not session.query(f"SELECT FROM pg_roles WHERE rolname = {literal(account.name)}"):
                return
            session.query(f"ALTER ROLE {name} CONNECTION LIMIT 0")
            session.query(roles.end_sessions(account.name))
            places = session.query(roles.with_belongings(account.name))
        for place in {HOME, *(str(place) for (place,) in places)}:
            with self.session(place) as session:
                session.query(roles.inherit(account.name))
        with self.session() as session:
            session.query(f"DROP ROLE IF EXISTS {name}")

    def set_password(self, account: Account, password: Secret) -> None:
        refuse(account.name, ENGINE.names.reserved_users)
        with self.session() as session:
            session.query(roles.put("ALTER", account.name, password))

    def rename_user(self, account: Account, new: Account) -> None:
        for each in (account, new):
            refuse(each.name, ENGINE.names.reserved_users)
        with self.session() as session:
            if session.query(f"SELECT FROM pg_roles WHERE rolname = {literal(account.name)}"):
                session.query(f"ALTER ROLE {identifier(account.name)} RENAME TO {identifier(new.name)}")

    def grant(self, account: Account, databases: Sequence[str]) -> None:
        refuse(account.name, ENGINE.names.reserved_users)
        user = identifier(account.name)
        for database in databases:
            refuse(database, ENGINE.names.reserved_databases)
            with self.session(database) as session:
                session.query(f"GRANT ALL ON DATABASE {identifier(database)} TO {user}; {roles.rights_in_schema(user)}")

    def revoke(self, account: Account, database: str) -> None:
        """First the door, then the sessions behind it, then what they could do."""
        refuse(account.name, ENGINE.names.reserved_users)
        refuse(database, ENGINE.names.reserved_databases)
        with self.session(database) as session:
            _shut_out(session, account.name, database)
            session.query(roles.end_sessions(account.name, database))
            session.query(roles.no_rights_in_schema(identifier(account.name)))
            if session.query(roles.may_enter(account.name, database)) == [("t",)]:
                raise errors.Conflict(
                    f"{account.name} still may enter {database} as a member of another role: revoke that by SQL"
                )

    @property
    def socket(self) -> Path:
        return files.socket_path(self.site.state, f".s.PGSQL.{self.site.port}")

    @contextmanager
    def session(self, database: str = HOME, seconds: float = PATIENCE) -> Iterator[wire.Connection]:
        """The administrator's connection. Raises Unavailable, GuestFailed, BadRequest."""
        with (
            translated("PostgreSQL", wire.ServerError, wire.comes_or_goes),
            wire.Connection(self.socket, ADMINISTRATOR, database, seconds) as session,
        ):
            yield session


def unix_user() -> str:
    """Whom the administrator is at the socket. Raises GuestFailed."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError as error:
        raise errors.GuestFailed(f"PostgreSQL wants a name for its Unix user: {os.getuid()} has none here") from error


def _shut_out(session: wire.Connection, user: str, database: str) -> None:
    """Where everybody may enter the database, everybody else keeps that as a right of their own; where the user owns
    it, the master does from now on.
    """
    name = identifier(database)
    if session.query(roles.owns(user, database)):
        session.query(f"ALTER DATABASE {name} OWNER TO {identifier(ENGINE.master)}")
    if session.query(roles.may_enter("public", database)) == [("t",)]:
        others = [str(each) for (each,) in session.query(roles.others(user))]
        session.query(roles.open_to(database, others))
    session.query(f"REVOKE ALL ON DATABASE {name} FROM {identifier(user)}")


def refuse(name: str, reserved: Collection[str]) -> None:
    """Raises BadRequest for what is the system's."""
    if name in reserved or name.startswith("pg_"):
        raise errors.BadRequest(f"the name {name} is reserved")
