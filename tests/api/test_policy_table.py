"""Every route of the table, called by nobody, from another project, by a member, by an administrator.

What is expected follows from the route's policy rule; whatever does not is listed here, with the reason. A new route
without a rule fails until it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import falcon.testing
import pytest
from calling import As, Ready
from judging import Client
from seeding import POSTGRESQL, VERSIONS, issue

from argosy.api import main
from argosy.api.bell import Bell
from argosy.api.route import Route
from argosy.api.routes import ROUTES
from argosy.db.session import Database
from argosy.guest import authority
from argosy.identity.local.identity import LocalIdentity
from argosy.model import policy
from argosy.model.policy import Default
from argosy.settings import Api, Settings

TENANTS = [route for route in ROUTES if "{project}" in route.path]
PUBLIC = [route for route in ROUTES if "{project}" not in route.path]
UNRULED: Mapping[str, str] = {
    "POST /instances/{id}/action": "each action has a rule of its own",
    "GET /mgmt/quotas/{id}": "a project sees its own quotas; another one's only administrators do",
}
"""Routes without a rule that a member may call all the same, and why."""
BODIES: Mapping[str, object] = {"POST /instances/{id}/action": {"restart": {}}}
"""What is sent where `{}` would be refused before anybody is asked who calls."""
MISSING: Mapping[str, str] = {
    "DELETE /instances/{id}/root": "nobody was told a password of the master user yet",
}
"""Routes that answer 404 about an instance that is there, and why."""
OTHERS: Mapping[str, str] = {
    "GET /instances/{id}/root": "the master user is its own project's only, as in Trove",
}
"""Routes that answer 404 to an administrator of another project, and why."""


@dataclass(frozen=True)
class LetIn:
    """The handler was reached: what it answered was not about who asks, nor that nothing is there if something is."""

    there: bool

    def __eq__(self, status: object) -> bool:
        return isinstance(status, int) and status not in (401, 403, 500) and not (self.there and status == 404)

    def __hash__(self) -> int:
        return 0


def named(route: Route) -> str:
    return f"{route.method} {route.path.removeprefix('/v1.0/{project}')}"


def filled(route: Route, project: str, instance_id: str) -> str:
    """The path, about things that exist as far as the seed has them."""
    path = route.path.removeprefix("/v1.0/{project}")
    path = path.replace("{datastore}", POSTGRESQL).replace("{version}", VERSIONS["15"])
    named = {"flavors": "1", "instances": instance_id, "quotas": project, "datastore-versions": VERSIONS["15"]}
    return re.sub(r"\{\w+\}", "x", re.sub(r"([\w-]+)/\{id\}", lambda m: f"{m[1]}/{named.get(m[1], 'x')}", path))


def statuses(who: As, instance_id: str = "x", routes: Iterable[Route] = TENANTS) -> dict[str, int]:
    """By route. One table to compare, because a database per route takes long; what deletes an instance comes last."""
    told = {}
    for route in sorted(routes, key=lambda route: route.method == "DELETE"):
        sent = BODIES.get(named(route), {}) if route.method in ("POST", "PUT", "PATCH") else None
        told[named(route)] = who(route.method, filled(route, who.project, instance_id), sent).status_code
    return told


def expected(route: Route, *, admin: bool) -> object:
    """By the rule's default. Fails for a route that has neither a rule nor a line above."""
    if route.for_administrators and not admin:
        return 401
    if route.rule and policy.RULES[route.rule] is Default.ADMIN and not admin:
        return 403
    ruled = route.rule or route.for_administrators or named(route) in UNRULED
    assert ruled, f"{named(route)} has no rule: whom is it for?"
    there = "/x" not in filled(route, "", "y") and named(route) not in MISSING
    return LetIn(there and not (admin and named(route) in OTHERS))


@pytest.fixture
def waiting_for_nobody(settings: Settings, database: Database) -> falcon.testing.TestClient:
    """Whoever would wait for a guest is sent away at once: there are no guests here."""
    authority.make(settings.keys)
    return Client(main.make_app(settings, database, LocalIdentity(database), Bell(seats=0)))


@pytest.mark.parametrize("token", ["", "rubbish"])
def test_nobody(member: As, token: str) -> None:
    assert statuses(replace(member, token=token)) == {named(each): 401 for each in TENANTS}


@pytest.mark.parametrize("role", ["admin", "member"])
def test_from_another_project(login: Callable[..., As], role: str) -> None:
    who = login("green", role)
    assert statuses(replace(who, project="blue")) == {named(each): 403 for each in TENANTS}


def test_a_member(ready: Ready, member: As, waiting_for_nobody: falcon.testing.TestClient) -> None:
    told = statuses(replace(member, client=waiting_for_nobody), ready())
    assert told == {named(each): expected(each, admin=False) for each in TENANTS}


def test_an_administrator(ready: Ready, admin: As, waiting_for_nobody: falcon.testing.TestClient) -> None:
    told = statuses(replace(admin, client=waiting_for_nobody), ready())
    assert told == {named(each): expected(each, admin=True) for each in TENANTS}


def test_another_projects_instance_does_not_exist(ready: Ready, stranger: As) -> None:
    """Unless what was sent is refused before anything is looked for, or nobody can do it."""
    routes = [route for route in TENANTS if "/instances/{id}" in route.path and not route.for_administrators]
    told = statuses(stranger, ready(), routes)
    assert {name: status for name, status in told.items() if status not in (400, 404, 501)} == {}
    assert {status for name, status in told.items() if name.startswith(("GET", "DELETE"))} <= {404, 501}


def test_anybody(client: falcon.testing.TestClient, settings: Settings) -> None:
    authority.make(settings.keys)
    told = {named(each): client.simulate_request(each.method, each.path).status_code for each in PUBLIC}
    assert {name: status for name, status in told.items() if status not in (200, 204)} == {}


def test_every_rule_of_the_table_is_known() -> None:
    assert {route.rule for route in ROUTES if route.rule} <= set(policy.RULES)


def test_every_rule_is_obeyed(settings: Settings, database: Database, tmp_path: Path) -> None:
    """An operator's file that allows nothing shuts every route that names a rule, to administrators too."""
    file = tmp_path / "policy.yaml"
    file.write_text("".join(f'"{rule}": "!"\n' for rule in policy.RULES))
    shut = replace(settings, api=Api(policy_file=str(file)))
    client = Client(main.make_app(shut, database, LocalIdentity(database)))
    who = As(client, "blue", issue(database, "blue", "admin"))
    ruled = [route for route in TENANTS if route.rule]
    assert statuses(who, routes=ruled) == {named(each): 403 for each in ruled}
