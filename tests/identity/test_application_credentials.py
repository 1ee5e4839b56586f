"""Keys for programs: one project, some roles, revocable, and no way to more."""

from __future__ import annotations

from typing import Any

import pytest
from identity_client import Answer, Service


@pytest.fixture
def alice(service: Service) -> str:
    return service.make_user("alice", "acme")


def _make(service: Service, user: str, **told: Any) -> Answer:
    token = service.log_in("alice").token
    body = {"application_credential": {"name": "ci", **told}}
    return service.ask("POST", f"/v3/users/{user}/application_credentials", body, token)


def _log_in(service: Service, scope: Any = None, **credential: Any) -> Answer:
    auth = {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    return service.ask("POST", "/v3/auth/tokens", {"auth": {**auth, **({"scope": scope} if scope else {})}})


def test_it_logs_in_by_id_or_by_name(service: Service, alice: str) -> None:
    made = _make(service, alice).body["application_credential"]
    user = {"name": "alice", "domain": {"id": "default"}}
    for told in ({"id": made["id"]}, {"name": "ci", "user": {"id": alice}}, {"name": "ci", "user": user}):
        token = _log_in(service, **told, secret=made["secret"]).body["token"]
        assert token["project"]["name"] == "acme"
        assert token["methods"] == ["application_credential"]
        assert token["application_credential"]["id"] == made["id"]


def test_a_wrong_secret_is_refused(service: Service, alice: str) -> None:
    made = _make(service, alice).body["application_credential"]
    assert _log_in(service, id=made["id"], secret="x" * 43).status == 401
    assert _log_in(service, id="unknown", secret=made["secret"]).status == 401
    assert (
        _log_in(service, name="ci", user={"name": "demo", "domain": {"id": "default"}}, secret=made["secret"]).status
        == 401
    )


def test_the_secret_is_told_once(service: Service, alice: str) -> None:
    made = _make(service, alice).body["application_credential"]
    token = service.log_in("alice").token
    listed = service.ask("GET", f"/v3/users/{alice}/application_credentials", token=token)
    shown = service.ask("GET", f"/v3/users/{alice}/application_credentials/{made['id']}", token=token)
    assert [each["name"] for each in listed.body["application_credentials"]] == ["ci"]
    assert shown.status == 200
    assert made["secret"] not in listed.text + shown.text


def test_it_opens_its_own_project_only(service: Service, alice: str) -> None:
    made = _make(service, alice).body["application_credential"]
    other = service.id_of("projects", "demo")
    service.admin("PUT", f"/v3/projects/{other}/users/{alice}/roles/{service.role('member')}")
    assert _log_in(service, {"project": {"id": other}}, id=made["id"], secret=made["secret"]).status == 401
    token = _log_in(service, id=made["id"], secret=made["secret"]).token
    again = {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": {"project": {"id": other}}}
    assert service.ask("POST", "/v3/auth/tokens", {"auth": again}).status == 401
    again["scope"] = "unscoped"
    assert service.ask("POST", "/v3/auth/tokens", {"auth": again}).status == 401


def test_it_has_the_roles_it_was_given_while_its_user_has_them(service: Service, alice: str) -> None:
    made = _make(service, alice, roles=[{"name": "reader"}]).body["application_credential"]
    token = _log_in(service, id=made["id"], secret=made["secret"]).body["token"]
    assert [role["name"] for role in token["roles"]] == ["reader"]
    project = service.id_of("projects", "acme")
    service.admin("DELETE", f"/v3/projects/{project}/users/{alice}/roles/{service.role('member')}")
    assert _log_in(service, id=made["id"], secret=made["secret"]).status == 401


def test_it_makes_no_further_keys(service: Service, alice: str) -> None:
    made = _make(service, alice).body["application_credential"]
    token = _log_in(service, id=made["id"], secret=made["secret"]).token
    path = f"/v3/users/{alice}/application_credentials"
    assert service.ask("POST", path, {"application_credential": {"name": "more"}}, token).status == 403
    assert service.ask("DELETE", f"{path}/{made['id']}", token=token).status == 403


def test_deleted_it_takes_its_tokens_along(service: Service, alice: str) -> None:
    made = _make(service, alice).body["application_credential"]
    token, own = _log_in(service, id=made["id"], secret=made["secret"]).token, service.log_in("alice").token
    path = f"/v3/users/{alice}/application_credentials/{made['id']}"
    assert service.ask("DELETE", path, token=own).status == 204
    assert not service.valid(token)
    assert service.valid(own)
    assert _log_in(service, id=made["id"], secret=made["secret"]).status == 401


@pytest.mark.parametrize(
    "told",
    [
        {"roles": [{"name": "admin"}]},
        {"roles": "member"},
        {"unrestricted": True},
        {"secret": "short"},
        {"expires_at": "yesterday"},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "0001-01-01T00:00:00+23:59"},
        {"name": ""},
        {"name": "x" * 256},
    ],
)
def test_what_cannot_be_granted_is_400(service: Service, alice: str, told: dict[str, Any]) -> None:
    assert _make(service, alice, **told).status == 400


def test_a_role_or_name_of_nobody_is_refused(service: Service, alice: str) -> None:
    assert _make(service, alice, roles=[{"id": "unknown"}]).status == 404
    assert _make(service, alice).status == 201
    assert _make(service, alice).status == 409
    body = {"application_credential": {"name": "mine"}}
    assert service.admin("POST", f"/v3/users/{alice}/application_credentials", body).status == 403


def test_it_ends_when_it_was_said_to(service: Service, alice: str) -> None:
    made = _make(service, alice, expires_at="2999-01-01T00:00:00").body["application_credential"]
    assert made["expires_at"] == "2999-01-01T00:00:00.000000Z"
    assert _log_in(service, id=made["id"], secret=made["secret"]).status == 201
    with service.database.write() as session:
        from argosy.db.tables import ApplicationCredential

        session.get(ApplicationCredential, made["id"]).expires = 1.0
    assert _log_in(service, id=made["id"], secret=made["secret"]).status == 401
