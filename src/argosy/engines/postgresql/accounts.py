"""Users and databases of PostgreSQL, by the administrator's socket. Passwords reach the server as verifiers only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.base import Database, User
from argosy.engines.postgresql import ENGINE, wire
from argosy.engines.postgresql.scram import verifier
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
            session.query(MASTER + _put_role("ALTER", ENGINE.master, password))

    def put_database(self, database: Database) -> None:
        name = identifier(database.name)
        with self.session() as session:
            if not session.query(f"SELECT FROM pg_database WHERE datname = {literal(database.name)}"):
                session.query(f"CREATE DATABASE {name} {_locale(database)}")
            session.query(
                f"REVOKE ALL ON DATABASE {name} FROM PUBLIC; ALTER DATABASE {name} OWNER TO {identifier(ENGINE.master)}"
            )

    def put_user(self, user: User) -> None:
        if user.name.startswith("pg_") or user.name in ENGINE.names.reserved_users:
            raise errors.BadRequest(f"the user name {user.name} is reserved")
        with self.session() as session:
            known = session.query(f"SELECT FROM pg_roles WHERE rolname = {literal(user.name)}")
            session.query(_put_role("ALTER" if known else "CREATE", user.name, user.password))
            for database in user.databases:
                session.query(f"GRANT ALL ON DATABASE {identifier(database)} TO {identifier(user.name)}")
        for database in user.databases:
            with self.session(database) as session:
                session.query(_rights_in_schema(identifier(user.name)))

    def list_databases(self) -> Sequence[str]:
        hidden = ENGINE.names.reserved_databases
        with self.session() as session:
            names = session.query("SELECT datname FROM pg_database ORDER BY datname")
        return [str(name) for (name,) in names if name not in hidden]

    def list_users(self) -> Sequence[str]:
        hidden = ENGINE.names.reserved_users
        with self.session() as session:
            names = session.query(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolcanlogin ORDER BY rolname"
            )
        return [str(name) for (name,) in names if name not in hidden]

    @property
    def socket(self) -> Path:
        return files.socket_path(self.site.state, f".s.PGSQL.{self.site.port}")

    @contextmanager
    def session(self, database: str = HOME) -> Iterator[wire.Connection]:
        """The administrator's connection. Its errors leave as GuestFailed with the server's words."""
        try:
            with wire.Connection(self.socket, ADMINISTRATOR, database, PATIENCE) as session:
                yield session
        except (OSError, wire.ServerError) as error:
            raise errors.GuestFailed(f"PostgreSQL: {error}") from error
        except ValueError as error:
            raise errors.BadRequest(str(error)) from error


def _put_role(verb: str, name: str, password: Secret) -> str:
    return f"{verb} ROLE {identifier(name)} LOGIN PASSWORD {literal(verifier(password.value))};"


def _locale(database: Database) -> str:
    """Another encoding or collation than the template's needs the template that has no rows in it."""
    encoding = f" ENCODING {literal(database.character_set)}" if database.character_set else ""
    collate = (
        f" LC_COLLATE {literal(database.collate)} LC_CTYPE {literal(database.collate)}" if database.collate else ""
    )
    return f"TEMPLATE template0{encoding}{collate}" if encoding or collate else ""


def _rights_in_schema(user: str) -> str:
    """What is there, and what the master will make: users of one database share it."""
    kinds = ("TABLES", "SEQUENCES", "ROUTINES")
    now = "".join(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO {user};" for kind in kinds)
    master = identifier(ENGINE.master)
    later = "".join(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {master} IN SCHEMA public GRANT ALL ON {kind} TO {user};" for kind in kinds
    )
    return f"GRANT ALL ON SCHEMA public TO {user}; {now} {later}"
