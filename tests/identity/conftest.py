"""A local identity service with its first users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from identity_client import Service, serving

from argosy.db.session import Database
from argosy.identity.local import app, bootstrap
from argosy.settings import from_tables
from argosy.testing import databases


@pytest.fixture(scope="session", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[databases.Server]:
    with databases.serve(request.param) as running:
        yield running


@pytest.fixture
def database(server: databases.Server) -> Iterator[Database]:
    with server.fresh() as made:
        yield made


@pytest.fixture
def start(database: Database, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts the service with these options of the section `identity`; the same users each time."""
    passwords: dict[str, str] = {}

    def keep(made: tuple[bootstrap.Credentials, ...]) -> None:
        passwords.update({each.user: each.password for each in made})

    with ExitStack() as running:

        def run(**options: Any) -> Service:
            settings = from_tables(tmp_path, {"identity": options})
            bootstrap.bootstrap(database, keep)
            url = running.enter_context(serving(app.make(settings, database)))
            started = Service(url, database, settings, passwords)
            running.callback(started.pool.clear)
            return started

        yield run


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start()
