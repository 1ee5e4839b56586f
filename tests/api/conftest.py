"""The REST API in process: real routes, real local identity, a real database; instances become ready by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from calling import As, Create, Ready, order
from seeding import fill, finish, issue

from argosy.api import main
from argosy.api.bell import Bell
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import Table
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A filled database that the tests copy: making it takes longer than most of them."""
    made = Settings(tmp_path_factory.mktemp("template"))
    sealed.make(made.keys / "master.key")
    database = Database(made.database_url)
    Table.metadata.create_all(database.engine)
    fill(database)
    database.engine.dispose()
    return made


@pytest.fixture
def database(settings: Settings, template: Settings) -> Iterator[Database]:
    shutil.copytree(template.state, settings.state, dirs_exist_ok=True)
    sealed.use(settings.keys / "master.key")
    made = Database(settings.database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def client(settings: Settings, database: Database, bell: Bell) -> falcon.testing.TestClient:
    return falcon.testing.TestClient(main.make_app(settings, database, LocalIdentity(database), bell))


@pytest.fixture
def login(client: falcon.testing.TestClient, database: Database) -> Callable[..., As]:
    return lambda project, *roles: As(client, project, issue(database, project, *roles))


@pytest.fixture
def member(login: Callable[..., As]) -> As:
    return login("blue", "member")


@pytest.fixture
def stranger(login: Callable[..., As]) -> As:
    return login("green", "member")


@pytest.fixture
def admin(login: Callable[..., As]) -> As:
    return login("red", "admin")


@pytest.fixture
def create(member: As) -> Create:
    def create(name: str = "m1", **more: Any) -> dict[str, Any]:
        answer = member("POST", "/instances", order(name=name, **more))
        assert answer.status_code == 200, answer.text
        return dict(answer.json["instance"])

    return create


@pytest.fixture
def ready(create: Create, database: Database) -> Ready:
    def ready(name: str = "m1", host: str = "127.9.0.1", **more: Any) -> str:
        instance_id: str = create(name, **more)["id"]
        finish(database, instance_id, host)
        return instance_id

    return ready
