"""Who may call what: every route of the table, by nobody, by another project, by a member, by an admin."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import falcon.testing
import pytest
from calling import As, Ready
from seeding import POSTGRESQL, VERSIONS, issue

from argosy.api import main
from argosy.api.route import Route
from argosy.api.routes import ROUTES
from argosy.api.v1 import unbuilt
from argosy.db.session import Database
from argosy.identity.local.identity import LocalIdentity
from argosy.model import policy
from argosy.settings import Api, Settings

TENANTS = [route for route in ROUTES if "{project}" in route.path]
PUBLIC = [route for route in ROUTES if "{project}" not in route.path]
BUILT = [route for route in TENANTS if route.handler is not unbuilt.refuse]
BODIES = {
    ("POST", "/instances"): {
        "instance": {"name": "m2", "flavorRef": 1, "volume": {"size": 1}, "datastore": {"type": "mariadb"}}
    },
    ("POST", "/instances/{id}/action"): {"restart": {}},
    ("PUT", "/instances/{id}"): {"instance": {"name": "n"}},
    ("PATCH", "/instances/{id}"): {"instance": {"name": "n"}},
}


def named(route: Route) -> str:
    return f"{route.method} {route.path.removeprefix('/v1.0/{project}')}"


def call(who: As, route: Route, instance_id: str = "") -> falcon.testing.Result:
    """The route with a body that suits it, about an instance, datastore and flavor that exist."""
    template = route.path.removeprefix("/v1.0/{project}")
    path = template.replace("{datastore}", POSTGRESQL).replace("{version}", VERSIONS["15"])
    path = path.replace("{id}", "1" if "flavors" in path else instance_id or "x")
    return who(route.method, re.sub(r"\{\w+\}", "x", path), BODIES.get((route.method, template)))


def answers(who: As, routes: list[Route]) -> dict[str, tuple[int, str, str]]:
    """Status, key and message by route: one table to compare, because a database per route takes long."""
    told = {}
    for route in routes:
        answer = call(who, route)
        ((key, fault),) = answer.json.items()
        told[named(route)] = (answer.status_code, key, fault["message"])
    return told


@pytest.mark.parametrize("token", ["", "rubbish"])
def test_without_a_good_token(member: As, token: str) -> None:
    nobody = As(member.client, member.project, token)
    told = answers(nobody, TENANTS)
    assert {name: each[:2] for name, each in told.items()} == {named(each): (401, "unauthorized") for each in TENANTS}
    assert nobody("GET", "/instances").headers["www-authenticate"].startswith("Keystone")


@pytest.mark.parametrize("role", ["admin", "member"])
def test_another_projects_url_is_forbidden_also_to_admins(login: Callable[..., As], role: str) -> None:
    who = login("green", role)
    message = "User with tenant id green cannot access this resource."
    told = answers(As(who.client, "blue", who.token), TENANTS)
    assert told == {named(each): (403, "forbidden", message) for each in TENANTS}


@pytest.mark.parametrize("route", [route for route in BUILT if "root" not in route.path], ids=named)
def test_a_member_may(ready: Ready, member: As, route: Route) -> None:
    assert call(member, route, ready()).status_code in (200, 202)


@pytest.mark.parametrize("route", [route for route in BUILT if "root" not in route.path], ids=named)
def test_an_admin_may_also_with_another_projects_instance(ready: Ready, admin: As, route: Route) -> None:
    assert call(admin, route, ready()).status_code in (200, 202)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_master_user_is_the_own_projects_only(ready: Ready, admin: As, method: str) -> None:
    assert admin.refused(method, f"/instances/{ready()}/root")[:2] == (404, "itemNotFound")


def test_what_is_not_built_yet_says_so(member: As) -> None:
    routes = [route for route in TENANTS if route.handler is unbuilt.refuse]
    told = {name: each[:2] for name, each in answers(member, routes).items()}
    assert told == {named(each): (501, "notImplemented") for each in routes}


@pytest.mark.parametrize("route", PUBLIC, ids=named)
def test_public_routes_need_no_token(client: falcon.testing.TestClient, settings: Settings, route: Route) -> None:
    (settings.keys / "ca.crt").write_text("PEM")
    assert client.simulate_request(route.method, route.path).status_code in (200, 204)


def test_an_unknown_path_of_a_project_is_401_before_it_is_404(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/v1.0/blue/nothing").status_code == 401
    assert client.simulate_get("/v1.0/extensions").status_code == 401
    assert client.simulate_get("/nothing").status_code == 404


def test_an_expired_token(member: As, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tokens SET expires = 0")
    assert member.refused("GET", "/instances")[:2] == (401, "unauthorized")


def test_every_rule_of_the_table_is_known() -> None:
    assert {route.rule for route in ROUTES if route.rule} <= set(policy.RULES)


@pytest.fixture
def obeying(settings: Settings, database: Database, tmp_path: Path) -> Callable[[dict[str, str]], As]:
    """A member's API under an operator's policy file."""

    def obeying(rules: dict[str, str]) -> As:
        file = tmp_path / "policy.json"
        file.write_text(json.dumps(rules))
        changed = replace(settings, api=Api(policy_file=str(file)))
        client = falcon.testing.TestClient(main.make_app(changed, database, LocalIdentity(database)))
        return As(client, "blue", issue(database, "blue", "reader"))

    return obeying


def test_an_operators_file_wins(ready: Ready, obeying: Callable[[dict[str, str]], As]) -> None:
    instance_id = ready()
    who = obeying({"instance:delete": "role:admin", "instance:index": "role:reader and project_id:%(tenant)s"})
    assert who.refused("DELETE", f"/instances/{instance_id}")[:2] == (403, "forbidden")
    assert len(who.get("/instances")["instances"]) == 1
    assert who.get(f"/instances/{instance_id}")["instance"]["id"] == instance_id


def test_create_with_users_asks_for_that_too(obeying: Callable[[dict[str, str]], As]) -> None:
    who = obeying({"instance:extension:user:create": "role:admin"})
    body = {"instance": {**BODIES["POST", "/instances"]["instance"], "users": [{"name": "u", "password": "p"}]}}
    assert who.refused("POST", "/instances", body)[2] == (
        "Policy doesn't allow instance:extension:user:create to be performed."
    )


def test_actions_are_asked_for_one_by_one(ready: Ready, obeying: Callable[[dict[str, str]], As]) -> None:
    instance_id = ready()
    who = obeying({"instance:restart": "role:admin"})
    assert who.refused("POST", f"/instances/{instance_id}/action", {"restart": {}})[0] == 403
    assert who("DELETE", f"/instances/{instance_id}").status_code == 202
