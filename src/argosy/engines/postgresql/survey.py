"""What there is in a cluster, told by its server: taken before a conversion, and compared with what is there after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from argosy.engines.postgresql import wire
from argosy.engines.postgresql.wire import identifier

COUNT_SECONDS = 2.0
"""that may be spent on counting rows: the database is away meanwhile"""

CLUSTER = """
SELECT current_setting('server_version_num'), current_setting('data_checksums'), pg_encoding_to_char(encoding),
       datcollate, datctype FROM pg_database WHERE datname = 'template0'
"""
ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname"
DATABASES = "SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname"
EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY extname"
OBJECTS = """
SELECT format('%s %s', nspname, relkind), count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' GROUP BY 1 ORDER BY 1
"""
TABLES = """
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind = 'r'
 ORDER BY pg_relation_size(pg_class.oid), 1, 2
"""
"""The smallest first: as many as there is time for."""

Session = Callable[[str], AbstractContextManager[wire.Connection]]
"""Opens one in a database."""
Survey = Mapping[str, Any]


def take(session: Session, home: str) -> Survey:
    until = time.monotonic() + COUNT_SECONDS
    with session(home) as connection:
        [(version, checksums, encoding, collate, ctype)] = connection.query(CLUSTER)
        roles, names = _column(connection, ROLES), _column(connection, DATABASES)
    return {
        "version": int(version or 0),
        "checksums": checksums == "on",
        "encoding": encoding,
        "collate": collate,
        "ctype": ctype,
        "roles": roles,
        "databases": {name: _database(session, name, until) for name in names},
    }


def missing(session: Session, home: str, before: Survey) -> list[str]:
    """What was there before and is not, or is not as much."""
    with session(home) as connection:
        roles, names = _column(connection, ROLES), _column(connection, DATABASES)
    found = [f"role {name}" for name in before["roles"] if name not in roles]
    for name, had in before["databases"].items():
        found += _missing_in(session, name, had) if name in names else [f"database {name}"]
    return found


def _database(session: Session, name: str, until: float) -> dict[str, Any]:
    with session(name) as connection:
        return {
            "extensions": _column(connection, EXTENSIONS),
            "objects": objects(connection),
            "rows": [[*table, _rows(connection, *table)] for table in _tables(connection, until)],
        }


def _missing_in(session: Session, name: str, had: Survey) -> Iterator[str]:
    with session(name) as connection:
        extensions, there = _column(connection, EXTENSIONS), objects(connection)
        yield from (f"extension {each} of {name}" for each in had["extensions"] if each not in extensions)
        for what, number in had["objects"].items():
            if there.get(what) != number:
                yield f"{number} objects {what} of {name}: there are {there.get(what, 0)}"
        for schema, table, rows in had["rows"]:
            if (seen := _rows(connection, schema, table)) != rows:
                yield f"{rows} rows of {schema}.{table} of {name}: there are {seen}"


def objects(connection: wire.Connection) -> dict[str, int]:
    """How many of each kind in each schema."""
    return {str(what): int(number or 0) for what, number in connection.query(OBJECTS)}


def _tables(connection: wire.Connection, until: float) -> Iterator[tuple[str, str]]:
    for schema, table in connection.query(TABLES):
        if time.monotonic() > until:
            return
        yield str(schema), str(table)


def _rows(connection: wire.Connection, schema: str, table: str) -> int:
    [(rows,)] = connection.query(f"SELECT count(*) FROM ONLY {identifier(schema)}.{identifier(table)}")
    return int(rows or 0)


def _column(connection: wire.Connection, query: str) -> list[str]:
    return [str(value) for (value,) in connection.query(query)]
