"""A real Keystone behind the same door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keystone_server
import pytest
import urllib3
from keystone_server import PASSWORD, Keystone

from argosy import errors
from argosy.client.tokens import TokenSession
from argosy.identity.keystone import KeystoneIdentity, caller
from argosy.settings import Identity
from argosy.testing import claims

# keystonemiddleware stands on webob, which imports what Python is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    keystone_server.installed()
    with keystone_server.running(tmp_path_factory.mktemp("keystone")) as running:
        yield running


@pytest.fixture(scope="module")
def identity(keystone: Keystone) -> KeystoneIdentity:
    return KeystoneIdentity(_options(keystone.url))


def _options(url: str) -> Identity:
    return Identity(backend="keystone", auth_url=url, username="admin", password=PASSWORD, project="admin")


def _ask(keystone: Keystone, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
    told = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = json.dumps(body).encode() if body is not None else None
    return urllib3.request(method, keystone.url + path, body=data, headers=told, retries=False)


def _log_in(keystone: Keystone, user: str, password: str, scope: Any) -> str:
    told = {"name": user, "domain": {"id": "default"}, "password": password}
    auth = {"identity": {"methods": ["password"], "password": {"user": told}}, "scope": scope}
    answer = _ask(keystone, "POST", "/auth/tokens", {"auth": auth})
    assert answer.status == 201, answer.data
    return answer.headers["X-Subject-Token"]


def _project(name: str) -> dict[str, Any]:
    return {"project": {"name": name, "domain": {"id": "default"}}}


@pytest.fixture(scope="module")
def admin(keystone: Keystone) -> str:
    return _log_in(keystone, "admin", PASSWORD, _project("admin"))


@pytest.fixture(scope="module")
def tenant(keystone: Keystone, admin: str) -> dict[str, str]:
    """A project `acme` and its member `alice`: their ids."""
    made = {}
    for kind, told in (("project", {"name": "acme"}), ("user", {"name": "alice", "password": "secret"})):
        made[kind] = json.loads(_ask(keystone, "POST", f"/{kind}s", {kind: told}, X_Auth_Token=admin).data)[kind]["id"]
    role = json.loads(_ask(keystone, "GET", "/roles?name=member", X_Auth_Token=admin).data)["roles"][0]["id"]
    path = f"/projects/{made['project']}/users/{made['user']}/roles/{role}"
    assert _ask(keystone, "PUT", path, X_Auth_Token=admin).status == 204
    return made


def test_an_admin_is_known(identity: KeystoneIdentity, admin: str) -> None:
    known = identity.authenticate(admin)
    assert (known.user_name, known.project_name, known.is_admin) == ("admin", "admin", True)


def test_a_tenant_is_known_by_project_and_roles(
    keystone: Keystone, identity: KeystoneIdentity, tenant: dict[str, str]
) -> None:
    known = identity.authenticate(_log_in(keystone, "alice", "secret", _project("acme")))
    assert (known.user_id, known.project_id) == (tenant["user"], tenant["project"])
    assert known.roles == {"member", "reader"}
    assert not known.is_admin


@pytest.mark.parametrize("token", ["", "x", "argosy_x", "x" * 3000, "\n", "☃"])
def test_what_is_no_token_is_unauthorized(identity: KeystoneIdentity, token: str) -> None:
    with pytest.raises(errors.Unauthorized):
        identity.authenticate(token)


def test_a_token_without_a_project_is_unauthorized(keystone: Keystone, identity: KeystoneIdentity) -> None:
    unscoped = _log_in(keystone, "admin", PASSWORD, "unscoped")
    with pytest.raises(errors.Unauthorized, match="names no project"):
        identity.authenticate(unscoped)


def test_a_revoked_token_is_unauthorized(keystone: Keystone, admin: str, tenant: dict[str, str]) -> None:
    assert tenant
    token = _log_in(keystone, "alice", "secret", _project("acme"))
    gone = _ask(keystone, "DELETE", "/auth/tokens", X_Auth_Token=admin, X_Subject_Token=token)
    assert gone.status == 204
    with pytest.raises(errors.Unauthorized):
        KeystoneIdentity(_options(keystone.url)).authenticate(token)


def test_the_console_looks_up_a_visitors_token_and_revokes_it(keystone: Keystone, tenant: dict[str, str]) -> None:
    assert tenant
    token, api = _log_in(keystone, "alice", "secret", _project("acme")), "http://127.0.0.1:1/v1.0"
    session = TokenSession(keystone.url, api, token)
    assert re.fullmatch(rf"{api}/[0-9a-f]{{32}}", session.endpoint)
    assert (session.user, session.project) == ("alice", "acme")
    session.revoke()
    session.close()
    again = TokenSession(keystone.url, api, token)
    with pytest.raises(errors.Unauthorized):
        again.get("/instances")
    again.close()


def test_a_keystone_that_is_away_is_not_the_callers_fault() -> None:
    with pytest.raises(errors.Unavailable):
        KeystoneIdentity(_options(f"http://127.0.0.1:{claims.port()}/v3")).authenticate("gAAAAA")


def test_a_service_user_that_keystone_refuses_is_not_the_callers_fault(keystone: Keystone, admin: str) -> None:
    mistaken = replace(_options(keystone.url), password="wrong")
    with pytest.raises(errors.Unavailable):
        KeystoneIdentity(mistaken).authenticate(admin)


def test_headers_of_a_stranger_make_nobody_known() -> None:
    with pytest.raises(errors.Unauthorized):
        caller({"HTTP_X_USER_ID": "root", "HTTP_X_PROJECT_ID": "p", "HTTP_X_ROLES": "admin"})
