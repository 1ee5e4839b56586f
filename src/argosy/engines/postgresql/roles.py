"""What is said to PostgreSQL about roles and their rights, as text."""

from __future__ import annotations

from collections.abc import Sequence

from argosy.engines.accounts import Database
from argosy.engines.postgresql import ENGINE
from argosy.engines.postgresql.scram import verifier
from argosy.engines.postgresql.wire import identifier, literal
from argosy.model.guest import Secret

KINDS = ("TABLES", "SEQUENCES", "ROUTINES")

LOCKS = "SET lock_timeout = '10s';"
"""Before what needs a tenant's tables: queueing behind a long transaction would hold up everybody who comes later."""


def put(verb: str, name: str, password: Secret) -> str:
    return f"{verb} ROLE {identifier(name)} LOGIN CONNECTION LIMIT -1 PASSWORD {literal(verifier(password.value))};"


def locale(database: Database) -> str:
    """Another encoding or collation than the template's needs the template that has no rows in it."""
    encoding = f" ENCODING {literal(database.character_set)}" if database.character_set else ""
    collate = (
        f" LC_COLLATE {literal(database.collate)} LC_CTYPE {literal(database.collate)}" if database.collate else ""
    )
    return f"TEMPLATE template0{encoding}{collate}" if encoding or collate else ""


def rights_in_schema(user: str) -> str:
    """What is there, and what the master will make: users of one database share it."""
    now = "".join(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO {user};" for kind in KINDS)
    return f"GRANT ALL ON SCHEMA public TO {user}; {now} {_later('GRANT', 'TO', user)}"


def no_rights_in_schema(user: str) -> str:
    now = "".join(f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {user};" for kind in KINDS)
    return f"{_later('REVOKE', 'FROM', user)} {now} REVOKE ALL ON SCHEMA public FROM {user};"


def _later(verb: str, preposition: str, user: str) -> str:
    master = identifier(ENGINE.master)
    return "".join(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {master} IN SCHEMA public {verb} ALL ON {kind} {preposition} {user};"
        for kind in KINDS
    )


def open_to(database: str, others: Sequence[str]) -> str:
    """For these users by a right of their own, and no longer for everybody."""
    name = identifier(database)
    rights = "".join(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {identifier(each)};" for each in others)
    return f"{rights} REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC;"


def may_enter(user: str, database: str) -> str:
    """`user` may be `public`, which is everybody."""
    return f"SELECT has_database_privilege({literal(user)}, {literal(database)}, 'CONNECT')"


def owns(user: str, database: str) -> str:
    return f"""
SELECT FROM pg_database WHERE datname = {literal(database)}
AND datdba = (SELECT oid FROM pg_roles WHERE rolname = {literal(user)})"""


def others(user: str) -> str:
    return f"SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> {literal(user)}"


def entries(users: Sequence[str]) -> str:
    """Which of these users may enter which database."""
    names = ",".join(literal(each) for each in users)
    return f"""
SELECT rolname, datname FROM pg_roles, pg_database WHERE rolname IN ({names}) AND datallowconn
AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT') ORDER BY rolname, datname"""


def end_sessions(user: str, database: str = "") -> str:
    place = f" AND datname = {literal(database)}" if database else ""
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {literal(user)}{place};"


def with_belongings(user: str) -> str:
    """Databases in which the user owns something or has rights."""
    return f"""
SELECT DISTINCT datname FROM pg_shdepend JOIN pg_database ON pg_database.oid = dbid
WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = {literal(user)})
AND datallowconn"""


def inherit(user: str) -> str:
    """What the user owns in this database is the master's from now on, and its rights are nobody's."""
    name = identifier(user)
    return f"{LOCKS} REASSIGN OWNED BY {name} TO {identifier(ENGINE.master)}; DROP OWNED BY {name};"
