"""The REST API in process: real routes, real local identity, a real database; instances become ready by hand."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from calling import As, Create, Ready, order
from judging import Client
from seeding import fill, finish, issue
from storing import Keepers
from witness import witnessed

from argosy import settings as options
from argosy.api import main
from argosy.api.bell import Bell
from argosy.db import sealed
from argosy.db.session import Database
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Settings
from argosy.testing import databases
from argosy.testing.databases import Server

JUDGEMENT = "test_judgement.py"
KINDS = databases.KINDS if os.environ.get("ARGOSY_SOAK") == "1" else ("sqlite",)
"""Control databases: SQLite, and with ARGOSY_SOAK=1 PostgreSQL and MariaDB too."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Judgement comes last."""
    items.sort(key=lambda item: item.path.name == JUDGEMENT)


@pytest.fixture
def whole_session(request: pytest.FixtureRequest) -> None:
    """Skips unless every test of this directory has run before, and none was left out by a choice."""
    options = request.config.option
    here = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    there = {item.path.name for item in request.session.items if item.path.parent == Path(__file__).parent}
    chosen = options.keyword or options.markexpr or any("::" in each for each in request.config.args)
    if chosen or here != there or request.session.testsfailed:
        pytest.skip("judges only a session that ran every test of the API, and well")


@pytest.fixture(autouse=True, scope="session")
def master_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "master.key"
    sealed.make(file)
    sealed.use(file)
    return file


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    with server.fresh() as made:
        fill(made)
        yield made


@pytest.fixture
def settings(tmp_path: Path, master_key: Path, database: Database) -> Settings:
    made = Settings(tmp_path, database=options.Database(database.url.render_as_string(hide_password=False)))
    made.keys.mkdir()
    shutil.copy(master_key, made.keys)
    return made


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def client(settings: Settings, database: Database, bell: Bell) -> falcon.testing.TestClient:
    return Client(witnessed(main.make_app(settings, database, LocalIdentity(database), bell), database))


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


@pytest.fixture
def keepers(settings: Settings, database: Database, bell: Bell) -> Iterator[Callable[..., Keepers]]:
    at_work: list[tuple[Keepers, threading.Thread]] = []

    def begin(**more: Any) -> Keepers:
        made = Keepers(settings, database, bell, **more)
        thread = threading.Thread(target=made.run)
        thread.start()
        at_work.append((made, thread))
        return made

    yield begin
    for made, thread in at_work:
        made.over.set()
        thread.join()
