"""Who may call what, beyond the table of test_policy_table.py: tokens, objects of others, an operator's policy file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import falcon.testing
import pytest
from calling import As, Ready
from judging import Client
from seeding import issue

from argosy.api import main
from argosy.api.policy import Policy
from argosy.db.session import Database
from argosy.identity.local.identity import LocalIdentity
from argosy.model import policy
from argosy.model.caller import Caller
from argosy.settings import Api, Settings

ORDER = {"instance": {"name": "m2", "flavorRef": 1, "volume": {"size": 1}, "datastore": {"type": "mariadb"}}}


def test_who_is_turned_away_is_told_where_tokens_come_from(client: falcon.testing.TestClient) -> None:
    answer = client.simulate_get("/v1.0/blue/instances")
    assert (answer.status_code, list(answer.json)) == (401, ["unauthorized"])
    assert answer.headers["www-authenticate"].startswith("Keystone")


def test_another_projects_url_in_troves_words(login: Callable[..., As]) -> None:
    who = replace(login("green", "admin"), project="blue")
    message = "User with tenant id green cannot access this resource."
    assert who.refused("GET", "/instances") == (403, "forbidden", message)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_master_user_is_the_own_projects_only(ready: Ready, admin: As, method: str) -> None:
    assert admin.refused(method, f"/instances/{ready()}/root")[:2] == (404, "itemNotFound")


def test_an_unknown_path_of_a_project_is_401_before_it_is_404(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/v1.0/blue/nothing").status_code == 401
    assert client.simulate_get("/v1.0/extensions").status_code == 401
    assert client.simulate_get("/nothing").status_code == 404


def test_an_expired_token(member: As, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tokens SET expires = 0")
    assert member.refused("GET", "/instances")[:2] == (401, "unauthorized")


@pytest.fixture
def obeying(settings: Settings, database: Database, tmp_path: Path) -> Callable[[dict[str, str]], As]:
    """A member's API under an operator's policy file."""

    def obeying(rules: dict[str, str]) -> As:
        file = tmp_path / "policy.json"
        file.write_text(json.dumps(rules))
        changed = replace(settings, api=Api(policy_file=str(file)))
        client = Client(main.make_app(changed, database, LocalIdentity(database)))
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
    body = {"instance": {**ORDER["instance"], "users": [{"name": "u", "password": "p"}]}}
    assert who.refused("POST", "/instances", body)[2] == (
        "Policy doesn't allow instance:extension:user:create to be performed."
    )


def test_actions_are_asked_for_one_by_one(ready: Ready, obeying: Callable[[dict[str, str]], As]) -> None:
    instance_id = ready()
    who = obeying({"instance:restart": "role:admin"})
    assert who.refused("POST", f"/instances/{instance_id}/action", {"restart": {}})[0] == 403
    assert who("DELETE", f"/instances/{instance_id}").status_code == 202


def test_an_operator_says_who_administers(obeying: Callable[[dict[str, str]], As]) -> None:
    """Below /mgmt, in what is shown, and in every rule that asks for an administrator."""
    who = obeying({"context_is_admin": "role:reader"})
    assert who("GET", "/mgmt/quotas/green").status_code == 200
    assert who("PUT", "/mgmt/quotas/green", {"quotas": {"ram": 1}}).status_code == 200
    assert "active" in who.get("/datastores/postgresql")["datastore"]["versions"][0]


def test_one_rule_changes_all_that_refer_to_it(obeying: Callable[[dict[str, str]], As]) -> None:
    who = obeying({"admin_or_owner": "role:writer"})
    assert who.refused("GET", "/instances")[0] == 403
    assert who("GET", "/datastores").status_code == 200


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    """oslo.policy, told the defaults, decides what the pure function decides."""
    file = tmp_path / "policy.yaml"
    file.write_text("{}")
    asked, plain = Policy(str(file)), Policy()
    callers = [Caller("u", "u", "blue", "blue", frozenset({role})) for role in ("member", "admin")]
    for rule in policy.RULES:
        for caller in callers:
            for owner in ("blue", "green"):
                assert asked._allows(rule, caller, owner) is plain._allows(rule, caller, owner), (rule, caller, owner)
