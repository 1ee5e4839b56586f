"""A project's keys: one newest, none forgotten, the same in the store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete

from argosy.db import migrate, project_keys, sealed
from argosy.db.session import Database
from argosy.db.tables import ProjectKey
from argosy.stores import keys
from argosy.stores.filesystem import FilesystemStore
from argosy.testing import databases


@pytest.fixture(scope="module", params=databases.KINDS)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with databases.serve(request.param) as server, server.empty() as empty:
        migrate.upgrade(empty)
        yield empty


@pytest.fixture(autouse=True)
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "master.key"
    sealed.make(file)
    sealed.use(file)
    return file


def _empty(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(ProjectKey))


def test_a_key_is_made_once(database: Database) -> None:
    _empty(database)
    with database.write() as session:
        first = project_keys.newest(session, "p")
    with database.write() as session:
        assert project_keys.newest(session, "p") == first
        assert project_keys.newest(session, "q").secret != first.secret
        assert project_keys.projects(session) == ["p", "q"]


def test_a_rotated_key_still_opens(database: Database) -> None:
    _empty(database)
    with database.write() as session:
        first = project_keys.newest(session, "p")
        assert project_keys.rotate(session, "p") == 2
        second = project_keys.newest(session, "p")
        assert (second.number, second.secret == first.secret) == (2, False)
        assert project_keys.get(session, "p", 1) == first
        with pytest.raises(keys.LostKey):
            project_keys.get(session, "p", 3)


def test_the_store_and_the_master_key_are_enough(database: Database, master: Path, tmp_path: Path) -> None:
    _empty(database)
    with database.write() as session:
        key = project_keys.newest(session, "p")
    store = FilesystemStore(tmp_path / "objects")
    keys.publish(store, "c", key, project_keys.wrapping())
    by = keys.wrapping(keys.deriving(master.read_bytes()))
    assert keys.find(store, "c", "p", 1, by) == key


def test_many_who_want_the_first_key_get_one(database: Database) -> None:
    _empty(database)

    def want(_: int) -> bytes:
        with database.write() as session:
            return project_keys.newest(session, "p").secret

    with ThreadPoolExecutor(8) as many:
        assert len(set(many.map(want, range(24)))) == 1
