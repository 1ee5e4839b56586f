"""Every operation runs on SQLite here; with ARGOSY_SOAK=1 on PostgreSQL and MariaDB too."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from argosy.db import sealed
from argosy.guest import authority
from argosy.settings import Settings
from argosy.testing import databases
from argosy.testing.databases import Server

KINDS = databases.KINDS if os.environ.get("ARGOSY_SOAK") == "1" else ("sqlite",)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(tmp_path_factory.mktemp("state"))
    sealed.make(settings.keys / "master.key")
    sealed.use(settings.keys / "master.key")
    authority.make(settings.keys)
    return settings


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server
