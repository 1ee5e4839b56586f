"""What a client would see of the data, in little: names, counts and checksums of small tables, to be seen again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from argosy.engines.postgresql import survey, wire
from argosy.engines.postgresql.wire import identifier

SECONDS = 1.5
"""that all of it may take, while a backup waits"""
MOST_TABLES = 200
MOST_BYTES = 16 << 20
"""of a table that is gone through"""

SAME_WORDS = """
SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC'; SET bytea_output = 'hex';
SET extra_float_digits = 1; SET xmlbinary = 'base64'; SET statement_timeout = 0; SET lock_timeout = '100ms'
"""
"""Rows are told in the same words whatever a tenant has set."""

TABLES = f"""
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind = 'r' AND relpersistence = 'p'
   AND pg_relation_size(pg_class.oid) <= {MOST_BYTES}
 ORDER BY pg_relation_size(pg_class.oid) DESC, 1, 2 LIMIT {MOST_TABLES}
"""  # noqa: S608 - our own numbers
"""The largest of the small first: they tell most. Nothing that a crash empties."""

LOCKED = "55P03"
GONE = "42P01"

Session = Callable[[str], AbstractContextManager[wire.Connection]]
"""Opens one in a database."""


def take(session: Session, home: str) -> dict[str, Any]:
    until = time.monotonic() + SECONDS
    with session(home) as connection:
        roles = connection.query(survey.ROLES)
        names = [str(name) for (name,) in connection.query(survey.DATABASES)]
    return {
        "roles": _digest(*(str(name) for (name,) in roles)),
        "databases": {name: _database(session, name, until) for name in names},
    }


def differences(session: Session, home: str, before: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it was, in words."""
    with session(home) as connection:
        roles = _digest(*(str(name) for (name,) in connection.query(survey.ROLES)))
        names = [str(name) for (name,) in connection.query(survey.DATABASES)]
    if before.get("roles", roles) != roles:
        yield "the roles are not those that there were"
    for name, had in before.get("databases", {}).items():
        if name in names:
            yield from _differences_in(session, name, had)
        else:
            yield f"the database {name} is missing"


def tables(before: Mapping[str, Any]) -> int:
    """How many tables can be compared."""
    return sum(len(each.get("tables", {})) for each in before.get("databases", {}).values())


def _database(session: Session, name: str, until: float) -> dict[str, Any]:
    with session(name) as connection:
        connection.query(SAME_WORDS)
        return {"objects": survey.objects(connection), "tables": dict(_tables(connection, until))}


def _tables(connection: wire.Connection, until: float) -> Iterator[tuple[str, str]]:
    for schema, table in connection.query(TABLES):
        if time.monotonic() > until:
            return
        if seen := _sum(connection, str(schema), str(table)):
            yield _digest(str(schema), str(table)), seen


def _differences_in(session: Session, name: str, had: Mapping[str, Any]) -> Iterator[str]:
    with session(name) as connection:
        connection.query(SAME_WORDS)
        objects = survey.objects(connection)
        for what, number in had.get("objects", {}).items():
            if objects.get(what, 0) != number:
                yield f"there were {number} objects {what} in {name}, and there are {objects.get(what, 0)}"
        here = {_digest(str(schema), str(table)): (str(schema), str(table)) for schema, table in _all(connection)}
        for key, seen in had.get("tables", {}).items():
            if key not in here:
                yield f"a table of {name} is missing"
            elif (now := _sum(connection, *here[key])) != seen:
                yield f"the table {'.'.join(here[key])} of {name} had {_told(seen)}, and has {_told(now)}"


def _all(connection: wire.Connection) -> list[wire.Row]:
    return connection.query(survey.TABLES)


def _sum(connection: wire.Connection, schema: str, table: str) -> str:
    """Count and checksum of the rows; empty while the table is locked, or gone.

    `concat` writes a row by the output functions of its types: a tenant's own cast to text is never called.
    """
    rows = f"ONLY {identifier(schema)}.{identifier(table)} AS t"
    try:
        [(count, total)] = connection.query(
            f"SELECT count(*), coalesce(sum(hashtextextended(concat(t), 0)), 0) FROM {rows}"  # noqa: S608 - quoted
        )
    except wire.ServerError as error:
        if error.code in {LOCKED, GONE}:
            return ""
        raise
    return f"{count}:{int(total or 0) & 0xFFFFFFFFFFFFFFFF:016x}"


def _told(seen: str) -> str:
    count, _, total = seen.partition(":")
    return f"{count} rows with the checksum {total}"


def _digest(*words: str) -> str:
    """Names are the tenants'."""
    return hashlib.blake2s("\0".join(words).encode(), digest_size=8).hexdigest()
