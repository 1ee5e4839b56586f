"""The REST API in process: real routes, real local identity, a real database; instances become ready by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import falcon.testing
import pytest

from argosy import clock
from argosy.api import main
from argosy.api.bell import Bell
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import (
    Account,
    Datastore,
    DatastoreVersion,
    Endpoint,
    Fact,
    Guest,
    Instance,
    Project,
    RoleAssignment,
    Table,
)
from argosy.identity.local import tokens
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Settings

POSTGRESQL = "11111111-1111-4111-8111-111111111111"
MARIADB = "22222222-2222-4222-8222-222222222222"
VERSIONS = {
    "15": "11111111-1111-4111-8111-000000000015",
    "17": "11111111-1111-4111-8111-000000000017",
    "10.11": "22222222-2222-4222-8222-000000001011",
}


@dataclass(frozen=True)
class As:
    """The API as one user of one project sees it."""

    client: falcon.testing.TestClient
    project: str
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> falcon.testing.Result:
        """A path that begins with `//` is one of the whole server's, any other is below the project."""
        headers = {"X-Auth-Token": self.token, **more.pop("headers", {})}
        where = path[1:] if path.startswith("//") else f"/v1.0/{self.project}{path}"
        if body is not None:
            more["json"] = body
        return self.client.simulate_request(method, where, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """The body of a 200."""
        answer = self("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


@pytest.fixture
def database(tmp_path: Path, settings: Settings) -> Iterator[Database]:
    sealed.make(tmp_path / "keys" / "master.key")
    sealed.use(tmp_path / "keys" / "master.key")
    made = Database(settings.database_url)
    Table.metadata.create_all(made.engine)
    fill(made)
    yield made
    made.dispose()
    made.engine.dispose()


def fill(database: Database) -> None:
    with database.write() as session:
        session.add(Fact(name="provider", value={"name": "local", "features": ["isolation", "volume-size"]}))
        session.add(Datastore(id=POSTGRESQL, name="postgresql", engine="postgresql", default_version_id=VERSIONS["15"]))
        session.add(Datastore(id=MARIADB, name="mariadb", engine="mysql", default_version_id=VERSIONS["10.11"]))
        for datastore, name, number in (
            (POSTGRESQL, "15", "15.18"),
            (POSTGRESQL, "17", "17.10"),
            (MARIADB, "10.11", "10.11.19"),
        ):
            version = DatastoreVersion(id=VERSIONS[name], datastore_id=datastore, name=name, number=number)
            version.capabilities = ["accounts", "databases", "tls"]
            session.add(version)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def client(settings: Settings, database: Database, bell: Bell) -> falcon.testing.TestClient:
    return falcon.testing.TestClient(main.make_app(settings, database, LocalIdentity(database), bell))


@pytest.fixture
def login(client: falcon.testing.TestClient, database: Database) -> Callable[..., As]:
    def login(project: str, *roles: str) -> As:
        with database.write() as session:
            account = Account(id=f"user-of-{project}-{'-'.join(roles)}", name=f"{project}-{'-'.join(roles)}")
            session.add_all([account, *_project(session, project)])
            session.add_all(RoleAssignment(account_id=account.id, project_id=project, role=role) for role in roles)
            who = tokens.Ref(account.id, account.name)
            grant = tokens.Grant(who, tokens.Ref(project, project), roles, ("password",), clock.now() + 600)
            token, _ = tokens.issue(session, grant)
        return As(client, project, token)

    return login


def _project(session: Any, project: str) -> list[Project]:
    return [] if session.get(Project, project) else [Project(id=project, name=project)]


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
def create(member: As) -> Callable[..., dict[str, Any]]:
    """An instance as the answer to its creation tells it, in BUILD."""

    def create(name: str = "m1", **more: Any) -> dict[str, Any]:
        body = {"name": name, "flavorRef": "2", "volume": {"size": 2}, "datastore": {"type": "postgresql"}, **more}
        answer = member("POST", "/instances", {"instance": body})
        assert answer.status_code == 200, answer.text
        return dict(answer.json["instance"])

    return create


@pytest.fixture
def ready(create: Callable[..., dict[str, Any]], database: Database) -> Callable[..., str]:
    """The id of an instance that is up, as the workflow and the heartbeats leave it."""

    def ready(name: str = "m1", host: str = "127.9.0.1", **more: Any) -> str:
        instance_id: str = create(name, **more)["id"]
        finish(database, instance_id, host)
        return instance_id

    return ready


def finish(database: Database, instance_id: str, host: str) -> None:
    with database.write() as session:
        session.get_one(Instance, instance_id).task = "NONE"
        session.merge(
            Guest(
                id=instance_id,
                generation=1,
                health="healthy",
                seen_at=clock.now(),
                volume_used=2**30 // 2,
                volume_total=2 * 2**30,
            )
        )
        writer = Endpoint(id=f"w-{instance_id}"[:36], instance_id=instance_id, role="writer", host=host, port=5432)
        writer.network = "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"
        session.add(writer)


@pytest.fixture
def other_settings(settings: Settings) -> Callable[..., Settings]:
    """These settings with options of one section changed."""

    def changed(section: str, **options: Any) -> Settings:
        return replace(settings, **{section: replace(getattr(settings, section), **options)})

    return changed
