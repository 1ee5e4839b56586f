"""Bring a control database to this release's schema; write the next revision of it.

    python -m argosy.db.migrate "add a column"      # a draft in migrations/versions, to be read and corrected

Migrations go forward only. PostgreSQL and SQLite take a whole upgrade or none of it; MariaDB commits each statement by
itself, so every statement of a migration must bear being repeated (`if_not_exists`).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from argosy import errors
from argosy.db.session import Database

if TYPE_CHECKING:  # Alembic is loaded where there is something to do: that is once per release
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"
HEAD = "0004"
"""this release's revision"""

LOCK = 7_320_198
"""of the advisory lock: any number, the same in every release"""
LOCK_SECONDS = 600


class OldSchema(errors.Broken):
    """the control database does not have this release's tables: run `argosy up` first, which makes them"""


class NewerSchema(errors.Broken):
    """the control database belongs to a newer release of Argosy: install that one"""


def upgrade(database: Database, revision: str = HEAD) -> None:
    """Bring the database to this release's schema; returns at once when it is there. Raises NewerSchema.

    Several processes may ask at the same time: one does it, the others wait for it. `revision`: of a former release,
    for an empty database that is to hold what that release wrote.
    """
    with database.engine.connect() as connection:
        if current(connection) == revision:
            return
    with _alone(database) as connection:
        if current(connection) != revision:
            _upgrade(connection, revision)


def current(connection: Connection) -> str | None:
    """The revision of the database's schema; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_known(revision: str) -> None:
    """Raises NewerSchema for one that this release has not heard of."""
    if not list((SCRIPTS / "versions").glob(f"{revision}_*.py")):
        raise NewerSchema


def require_current(database: Database) -> None:
    """Raises OldSchema, also where there is nothing, and NewerSchema."""
    with database.engine.connect() as connection:
        revision = current(connection)
    if revision != HEAD:
        require_known(revision or HEAD)
        raise OldSchema


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command

    require_known(current(connection) or HEAD)
    command.upgrade(_config(connection), revision)


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction that no other upgrade runs beside: the next one begins when this one is committed."""
    with _turn(database), database.engine.execution_options(writes=True).begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        yield connection


@contextmanager
def _turn(database: Database) -> Iterator[None]:
    """On MariaDB a named lock belongs to a session: one of its own holds it until all is committed, or given up."""
    if database.dialect not in {"mysql", "mariadb"}:
        yield
        return
    with database.engine.connect() as session:
        if not session.scalar(text(f"SELECT get_lock('argosy-{LOCK}', {LOCK_SECONDS})")):
            raise errors.Unavailable("another process has been changing the control database's tables for long")
        try:
            yield
        finally:
            session.execute(text(f"SELECT release_lock('argosy-{LOCK}')"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def draft(message: str) -> None:
    """Write the revision that leads from the last one to the tables as they are now."""
    from alembic import command

    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{directory}/draft.db")
        upgrade(database)
        with _alone(database) as connection:
            command.revision(_config(connection), message, autogenerate=True, rev_id=f"{int(HEAD) + 1:04}")


if __name__ == "__main__":
    draft(" ".join(sys.argv[1:]))
