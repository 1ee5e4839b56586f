"""Looks through a restored server: every index and every table that time allows, by the server's own amcheck."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from argosy.engines.postgresql import survey, wire
from argosy.engines.postgresql.fingerprint import Session

SECONDS = 600.0
"""that the checks may take; what there was no time for is told as unchecked"""

EXTENSION = "SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'"
BROUGHT = "CREATE SCHEMA argosy_check; CREATE EXTENSION amcheck SCHEMA argosy_check"
"""Taken back by the end of the session: the database stays as it was restored."""
THERE = """
SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'amcheck'
"""
INDEXES = """
SELECT pg_class.oid, nspname || '.' || relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  JOIN pg_am ON pg_am.oid = relam JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE amname = 'btree' AND relpersistence <> 't' AND indisready AND indisvalid ORDER BY pg_relation_size(pg_class.oid)
"""
HEAPS = """
SELECT pg_class.oid, nspname || '.' || relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind IN ('r', 'm') AND relpersistence <> 't' AND relam = 2 ORDER BY pg_relation_size(pg_class.oid)
"""
FAULTS = "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database"


@dataclass
class Report:
    indexes: int = 0
    tables: int = 0
    unchecked: int = 0
    faults: list[str] = field(default_factory=list)
    """what is wrong, in the server's words"""


def look_through(session: Session, home: str) -> Report:
    report, until = Report(), time.monotonic() + SECONDS
    with session(home) as connection:
        names = [str(name) for (name,) in connection.query(survey.DATABASES)]
        checks = bool(connection.query(EXTENSION))
    for name in names if checks else ():
        with session(name) as connection:
            _database(connection, name, until, report)
    with session(home) as connection:
        [(failures,)] = connection.query(FAULTS)
    if failures != "0":
        report.faults.append(f"{failures} pages do not match their checksums")
    return report


def _database(connection: wire.Connection, name: str, until: float, report: Report) -> None:
    connection.query("SET statement_timeout = 0")
    connection.query("BEGIN")
    if not connection.query(THERE):
        connection.query(BROUGHT)
    [(schema,)] = connection.query(THERE)
    place = wire.identifier(str(schema))
    for number, what in _in_time(connection.query(INDEXES), until, report):
        report.indexes += 1
        report.faults += _asked(connection, f"SELECT {place}.bt_index_check({number})", f"the index {what} of {name}")
    for number, what in _in_time(connection.query(HEAPS), until, report):
        report.tables += 1
        query = f"SELECT msg FROM {place}.verify_heapam({number}) LIMIT 3"  # noqa: S608 - quoted
        report.faults += _asked(connection, query, f"the table {what} of {name}")


def _in_time(rows: list[wire.Row], until: float, report: Report) -> Iterator[tuple[int, str]]:
    for number, what in rows:
        if time.monotonic() > until:
            report.unchecked += 1
        else:
            yield int(number or 0), str(what)


def _asked(connection: wire.Connection, query: str, what: str) -> list[str]:
    connection.query("SAVEPOINT check_one")
    try:
        rows = connection.query(query)
    except wire.ServerError as error:
        connection.query("ROLLBACK TO SAVEPOINT check_one")
        return [f"{what}: {error}"]
    connection.query("RELEASE SAVEPOINT check_one")
    return [f"{what}: {message}" for (message,) in rows if message]
