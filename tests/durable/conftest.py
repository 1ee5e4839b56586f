"""Fixtures of the durable machine's tests: each runs on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.db import sealed
from argosy.db.session import Database
from argosy.testing import databases
from argosy.testing.databases import Server


@pytest.fixture(autouse=True, scope="session")
def _key(tmp_path_factory: pytest.TempPathFactory) -> None:
    key: Path = tmp_path_factory.mktemp("keys") / "master.key"
    sealed.make(key)
    sealed.use(key)


@pytest.fixture(scope="session", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    with server.fresh() as database:
        yield database
