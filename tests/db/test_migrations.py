"""The migrated schema is the tables' schema, on each kind of database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import LargeBinary, inspect, text
from sqlalchemy.dialects.mysql import MEDIUMBLOB

from argosy.db import migrate
from argosy.db.sealed import Sealed
from argosy.db.session import Database
from argosy.db.tables import Table
from argosy.testing import databases
from argosy.testing.databases import Server


def differs(_context: Any, _found: Any, _meant: Any, found: Any, meant: Any) -> bool | None:
    """None: as Alembic thinks. MariaDB says MEDIUMBLOB of a sealed column, which Alembic takes for another type."""
    return False if isinstance(meant, Sealed) and isinstance(found, LargeBinary | MEDIUMBLOB) else None


@pytest.fixture(scope="module", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def empty(server: Server) -> Iterator[Database]:
    with server.empty() as database:
        yield database


def test_migrations_lead_to_the_tables(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": differs})
        assert compare_metadata(context, Table.metadata) == []


def test_upgrading_again_changes_nothing(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        assert migrate.current(connection) == migrate.HEAD


def test_an_upgrade_that_was_broken_off_goes_on(empty: Database) -> None:
    """MariaDB commits each statement by itself, so an upgrade can stop anywhere."""
    migrate.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("DROP TABLE runs"))
    migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        assert inspect(connection).has_table("runs")
        assert migrate.current(connection) == migrate.HEAD


def test_several_may_upgrade_at_once(empty: Database) -> None:
    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            migrate.upgrade(empty)
        except BaseException as failure:  # noqa: BLE001 - told below
            failures.append(failure)

    threads = [threading.Thread(target=upgrade) for _process in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_upgrade_that_failed_leaves_the_turn_to_the_next(empty: Database) -> None:
    with pytest.raises(ZeroDivisionError), migrate._alone(empty):
        raise ZeroDivisionError
    migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        assert migrate.current(connection) == migrate.HEAD


def test_a_newer_schema_is_refused(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.NewerSchema):
        migrate.upgrade(empty)


def test_head_is_the_last_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD
