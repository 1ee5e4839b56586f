"""A control database as one SQLite file, and back: consistent while it is written to, whatever kind it is.

What is sealed is copied as it rests, so no key is needed. The copy has the schema of the original, also of a former
release: that is the way back from an upgrade.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import JSON, Connection, Engine, MetaData, Table, create_engine, insert, select

from argosy import errors
from argosy.db import migrate, tables
from argosy.db.session import Database

ROWS = 500
"""copied at once"""
REVISIONS = "alembic_version"


class NothingThere(errors.Broken):
    """there is no control database to copy"""


class Torn(errors.Broken):
    """the copy of the control database is damaged"""


def save(database: Database, file: Path) -> str:
    """Copy it into a new file; its schema's revision. Raises NothingThere."""
    with database.engine.connect() as connection:
        revision = migrate.current(connection)
    if revision is None:
        raise NothingThere
    if database.dialect == "sqlite":
        _duplicate(Path(str(database.url.database)), file)
        return revision
    copy = Database(f"sqlite:///{file}")
    migrate.upgrade(copy, revision)
    with database.engine.execution_options(isolation_level="REPEATABLE READ").connect() as source:
        _pour(source, copy)
    copy.engine.dispose()
    return revision


def load(file: Path, database: Database) -> None:
    """Make an empty database on a server what the copy is. Raises NewerSchema."""
    copy = Database(f"sqlite:///{file}")
    with copy.engine.connect() as source:
        migrate.upgrade(database, str(migrate.current(source)))
        _pour(source, database)
    copy.engine.dispose()


def clear(database: Database, file: Path) -> None:
    """Drop every table of a database on a server that this or the copy's release knows."""
    copied = MetaData()
    copied.reflect(create_engine(f"sqlite:///{file}"))
    found = MetaData()
    found.reflect(database.engine)
    known = {*tables.Table.metadata.tables, *copied.tables}
    found.drop_all(database.engine, [each for name, each in found.tables.items() if name in known])


def check(file: Path) -> str:
    """The revision of a copy that can be used. Raises Torn, NewerSchema."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            sound = connection.execute("PRAGMA quick_check").fetchone()[0]
            revision = str(connection.execute(f"SELECT version_num FROM {REVISIONS}").fetchone()[0])  # noqa: S608
        except (sqlite3.Error, TypeError) as error:
            raise Torn from error
    if sound != "ok":
        raise Torn
    migrate.require_known(revision)
    return revision


def _duplicate(source: Path, target: Path) -> None:
    """SQLite's own online backup: writers go on."""
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)
        after.execute("PRAGMA journal_mode=DELETE")


def _pour(source: Connection, target: Database) -> None:
    """Every row of every table into the same tables of the target."""
    sqlite = source.engine if source.dialect.name == "sqlite" else target.engine
    with target.engine.execution_options(writes=True).begin() as into:
        for table in _tables(sqlite):
            rows = source.execution_options(yield_per=ROWS).execute(select(table)).mappings()
            for part in rows.partitions(ROWS):
                into.execute(insert(table), [dict(row) for row in part])


def _tables(sqlite: Engine) -> list[Table]:
    """As they are in the file, with types that mean the same on every server."""
    found = MetaData()
    found.reflect(sqlite)
    for table in found.sorted_tables:
        for column in table.columns:
            generic = column.type.as_generic()
            column.type = JSON(none_as_null=True) if isinstance(generic, JSON) else generic
    return [table for table in found.sorted_tables if table.name != REVISIONS]
