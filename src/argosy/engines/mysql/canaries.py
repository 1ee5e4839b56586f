"""What is remembered of the data when they are backed up, and whether a restored server still has it."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy import errors
from argosy.engines.mysql import wire
from argosy.engines.mysql.wire import quoted

SECONDS = 1.5
"""of reading, at most"""
BYTES = 64 << 20
"""of tables that are read, smallest first"""
TABLES = 150
DATABASES = 100
SETTLED = 2
"""seconds after which a change is seen in the time of change, which counts whole ones"""
AT_ONCE = 20
"""tables that one statement checks"""
NAMED = 5

OWN = "'information_schema', 'performance_schema', 'mysql', 'sys'"
TABLES_THERE = "FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
ROUNDED = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.COLUMNS WHERE DATA_TYPE IN ('float', 'double')"
LOOK = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, IFNULL(DATA_LENGTH, 0), IFNULL(CREATE_TIME, ''), IFNULL(UPDATE_TIME, ''),
 IFNULL(UPDATE_TIME >= NOW() - INTERVAL {SETTLED} SECOND, 0), (TABLE_SCHEMA, TABLE_NAME) IN ({ROUNDED})
{TABLES_THERE} AND TABLE_SCHEMA NOT IN ({OWN}) ORDER BY 3, 1, 2"""
CHECKED = f"SELECT TABLE_SCHEMA, TABLE_NAME {TABLES_THERE} AND TABLE_SCHEMA NOT IN ('information_schema',\
 'performance_schema') ORDER BY 1, 2"


@dataclass(frozen=True)
class Table:
    database: str
    name: str
    size: int
    made: str
    changed: str
    hot: bool
    """changed just now: it may change again within the same second, and nobody could see that"""
    rounded: bool
    """has numbers that no dump writes out to the last digit"""

    @property
    def place(self) -> str:
        return f"{quoted(self.database)}.{quoted(self.name)}"


def take(session: wire.Connection) -> dict[str, Any]:
    """Names are told as digests, because this can be read by whoever reads the store."""
    tables = [_table(row) for row in session.query(LOOK)]
    databases = dict(itertools.islice(_databases(tables).items(), DATABASES))
    return {"databases": databases, "tables": dict(_contents(session, tables))}


def compare(session: wire.Connection, canaries: Mapping[str, Any]) -> dict[str, Any]:
    """Raises GuestFailed naming what is not as it was."""
    tables = [_table(row) for row in session.query(LOOK)]
    lost = _different(canaries.get("databases", {}), tables)
    expected = dict(canaries.get("tables", {}))
    lost += [each.place for each in tables if not _same(session, each, expected.pop(digest(each.place), None))]
    lost += [f"a table with the digest {each}" for each in expected]
    if lost:
        raise errors.GuestFailed(f"not as it was when it was backed up: {'; '.join(lost[:NAMED])}")
    return {"databases": len(canaries.get("databases", {})), "tables": len(canaries.get("tables", {}))}


def check(session: wire.Connection) -> int:
    """How many tables the server has read from end to end, with all their indexes. Raises GuestFailed naming those
    that it finds damaged.
    """
    tables = [f"{quoted(str(database))}.{quoted(str(name))}" for database, name in session.query(CHECKED)]
    found: list[str] = []
    for at in range(0, len(tables), AT_ONCE):
        found += _damaged(session.query(f"CHECK TABLE {', '.join(tables[at : at + AT_ONCE])}"))
    if found:
        raise errors.GuestFailed(f"CHECK TABLE: {'; '.join(found[:NAMED])}")
    return len(tables)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _table(row: wire.Row) -> Table:
    database, name, size, made, changed, hot, rounded = (each or "" for each in row)
    return Table(database, name, int(size or 0), made, changed, hot == "1", rounded == "1")


def _databases(tables: Sequence[Table]) -> dict[str, Any]:
    """How many tables each has, and a digest of their names."""
    names: dict[str, list[str]] = {}
    for each in tables:
        names.setdefault(each.database, []).append(each.name)
    return {digest(database): [len(of), digest("\0".join(sorted(of)))] for database, of in sorted(names.items())}


def _different(expected: Mapping[str, Any], tables: Sequence[Table]) -> list[str]:
    """Databases that have not the tables that they had."""
    found, names = _databases(tables), {digest(each.database): each.database for each in tables}
    different = [each for each, of in expected.items() if found.get(each) != list(of)]
    return [f"the tables of {names.get(each, f'a database with the digest {each}')}" for each in different]


def _contents(session: wire.Connection, tables: Sequence[Table]) -> Iterator[tuple[str, Any]]:
    """Rows and checksum of the smallest, and when each was made and changed: who sees the same twice knows that nobody
    has written in between.
    """
    end, left = time.monotonic() + SECONDS, BYTES
    for each in tables[:TABLES]:
        left -= each.size
        if left < 0 or time.monotonic() > end:
            return
        if not each.hot:
            yield digest(each.place), [*_content(session, each), digest(f"{each.made} {each.changed}")]


def _content(session: wire.Connection, table: Table) -> list[str | None]:
    [(rows,)] = session.query(f"SELECT COUNT(*) FROM {table.place}")  # noqa: S608 - the server itself has told the name
    if table.rounded:
        return [rows, None]
    [(_, checksum)] = session.query(f"CHECKSUM TABLE {table.place}")
    return [rows, checksum]


def _same(session: wire.Connection, table: Table, expected: Sequence[Any] | None) -> bool:
    return expected is None or _content(session, table) == list(expected[:2])


def _damaged(rows: Sequence[wire.Row]) -> list[str]:
    """Tables whose last word is not that all is well, with what was said before. A warning is none: a server warns of
    every table that a crash has left open.
    """
    words: dict[str, list[wire.Row]] = {}
    for row in rows:
        words.setdefault(str(row[0]), []).append(row)
    return [f"{table}: {_said(said)}" for table, said in words.items() if not _well(said)]


def _well(said: Sequence[wire.Row]) -> bool:
    return (
        said[-1][2] in {"status", "note"} and said[-1][3] != "Corrupt" and all(row[2] != "error" for row in said[:-1])
    )


def _said(said: Sequence[wire.Row]) -> str:
    return ", ".join(str(row[3]) for row in said)
