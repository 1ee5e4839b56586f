"""Ways to log in, what the token opens then, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from identity_client import Service

from argosy.db.session import Database
from argosy.identity.local import app, passwords
from argosy.settings import from_tables

NOBODY = {"id": "default"}


def _scoped(**project: Any) -> dict[str, Any]:
    return {"project": project}


def test_a_token_for_a_project_by_its_name_or_its_id(service: Service) -> None:
    project = service.id_of("projects", "demo")
    for scope in (_scoped(name="demo", domain={"name": "Default"}), _scoped(id=project)):
        told = service.log_in("demo", scope=scope).body["token"]
        assert told["project"] == {"id": project, "name": "demo", "domain": {"id": "default", "name": "Default"}}
        assert [role["name"] for role in told["roles"]] == ["member", "reader"]


def test_without_a_scope_the_default_project_is_opened(service: Service) -> None:
    assert service.log_in("demo").body["token"]["project"]["name"] == "demo"


@pytest.mark.parametrize("scope", ["unscoped", {"unscoped": {}}])
def test_an_unscoped_token_opens_the_list_of_projects_only(service: Service, scope: Any) -> None:
    answer = service.log_in("demo", scope=scope)
    assert not {"project", "catalog", "roles"} & set(answer.body["token"])
    projects = service.ask("GET", "/v3/auth/projects", token=answer.token).body["projects"]
    assert [project["name"] for project in projects] == ["demo"]


def test_the_catalog_leads_to_identity_and_databases(service: Service) -> None:
    told = service.log_in("demo").body["token"]
    found = {
        entry["type"]: {each["interface"]: each["url"] for each in entry["endpoints"]} for entry in told["catalog"]
    }
    assert found["identity"]["public"] == f"{service.url}/v3"
    assert found["database"]["public"] == f"http://127.0.0.1:8779/v1.0/{told['project']['id']}"
    assert {each["region"] for entry in told["catalog"] for each in entry["endpoints"]} == {"RegionOne"}


@pytest.mark.parametrize("host", ["db.example.org", "[::1]"])
def test_the_catalog_names_the_host_that_was_asked(service: Service, host: str) -> None:
    token = service.log_in("demo").token
    catalog = service.ask("GET", "/v3/auth/catalog", token=token, Host=f"{host}:5000").body["catalog"]
    assert {each["url"].partition("/v")[0] for entry in catalog for each in entry["endpoints"]} == {
        f"http://{host}:5000",
        f"http://{host}:8779",
    }


@pytest.mark.parametrize(
    ("user", "password", "scope"),
    [
        ("demo", "wrong", None),
        ("nobody", "wrong", None),
        ("demo", "x" * 100_000, None),
        ("demo", None, _scoped(name="admin", domain={"id": "default"})),
        ("demo", None, _scoped(name="nowhere", domain={"id": "default"})),
        ("demo", None, _scoped(name="demo", domain={"name": "Elsewhere"})),
        ("demo", None, {"system": {"all": True}}),
        ("demo", None, {"domain": {"id": "default"}}),
    ],
)
def test_what_opens_nothing_is_401_in_keystones_words(
    service: Service, user: str, password: str | None, scope: Any
) -> None:
    answer = service.log_in(user, password, scope)
    assert answer.status == 401
    assert {"code", "message", "title"} == set(answer.body["error"])
    assert answer.body["error"]["title"] == "Unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


def test_an_unknown_user_is_refused_as_a_wrong_password_is(service: Service) -> None:
    assert service.log_in("nobody", "x").body == service.log_in("demo", "x").body


def test_an_unknown_user_costs_the_same_work() -> None:
    stored = passwords.hashed("right")

    def cost(compared: str | None) -> float:
        begun = time.thread_time()
        assert not passwords.matches(compared, "wrong")
        return time.thread_time() - begun

    known, unknown = min(cost(stored) for _ in range(5)), min(cost(None) for _ in range(5))
    assert 0.6 < known / unknown < 1.7


def test_a_password_is_kept_as_argon2id_only(service: Service) -> None:
    with service.database.read() as session:
        from argosy.db.tables import Account

        kept = [row.password for row in session.query(Account)]
    assert all(each.startswith("$argon2id$") for each in kept)


def test_a_token_begets_a_token_that_ends_with_it(service: Service) -> None:
    first = service.log_in("demo", scope="unscoped")
    identity = {"methods": ["token"], "token": {"id": first.token}}
    scope = _scoped(name="demo", domain={"id": "default"})
    second = service.ask("POST", "/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
    assert second.body["token"]["project"]["name"] == "demo"
    assert second.body["token"]["expires_at"] == first.body["token"]["expires_at"]
    assert second.token != first.token


def test_failed_logins_are_limited_per_user_and_survive_a_restart(start: Callable[..., Service]) -> None:
    first = start(logins_per_minute=3)
    assert [first.log_in("demo", "wrong").status for _ in range(5)] == [401, 401, 401, 429, 429]
    second = start(logins_per_minute=3)
    refused = second.log_in("demo")
    assert refused.status == 429
    assert refused.body["error"]["code"] == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert second.log_in("admin").status == 201
    _let_a_minute_pass(second)
    assert second.log_in("demo").status == 201


def test_a_disabled_user_or_project_logs_in_no_more(service: Service) -> None:
    user = service.make_user("alice", "acme")
    project = service.id_of("projects", "acme")
    service.admin("PATCH", f"/v3/projects/{project}", {"project": {"enabled": False}})
    assert service.log_in("alice", scope=_scoped(id=project)).status == 401
    service.admin("PATCH", f"/v3/users/{user}", {"user": {"enabled": False}})
    assert service.log_in("alice").status == 401


def _let_a_minute_pass(service: Service) -> None:
    from sqlalchemy import update

    from argosy.db.tables import LoginFailure

    with service.database.write() as session:
        session.execute(update(LoginFailure).values(minute=LoginFailure.minute - 1))


def test_a_control_database_that_is_away_is_503(tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path}/no/such/directory.db")
    client = falcon.testing.TestClient(app.make(from_tables(tmp_path, {}), away))
    answer = client.simulate_get("/v3/auth/tokens", headers={"X-Auth-Token": "xyz", "X-Subject-Token": "xyz"})
    assert (answer.status_code, answer.json["error"]["code"]) == (503, 503)
