"""Version 2.0 as clients of 2015 speak it, and the headers of version 1."""

from __future__ import annotations

from typing import Any

import pytest
from identity_client import Answer, Service


def _log_in(service: Service, **auth: Any) -> Answer:
    return service.ask("POST", "/v2.0/tokens", {"auth": auth})


def _password(service: Service, user: str = "demo") -> dict[str, Any]:
    return {"username": user, "password": service.passwords[user]}


def test_all_versions_are_told_at_the_root(service: Service) -> None:
    answer = service.ask("GET", "/")
    assert answer.status == 300
    told = {each["id"]: each for each in answer.body["versions"]["values"]}
    assert set(told) == {"v3.14", "v2.0"}
    assert told["v3.14"]["status"] == "stable"


@pytest.mark.parametrize(
    ("path", "version"), [("/v3", "v3.14"), ("/v3/", "v3.14"), ("/v2.0", "v2.0"), ("/v2.0/", "v2.0")]
)
def test_each_version_tells_where_it_is(service: Service, path: str, version: str) -> None:
    told = service.ask("GET", path).body["version"]
    assert told["id"] == version
    assert told["links"] == [{"rel": "self", "href": f"{service.url}{path.rstrip('/')}/"}]
    assert told["media-types"]


def test_a_token_in_the_shape_of_2015(service: Service) -> None:
    answer = _log_in(service, tenantName="demo", passwordCredentials=_password(service))
    assert answer.status == 200
    access = answer.body["access"]
    assert set(access) == {"token", "serviceCatalog", "user", "metadata"}
    assert set(access["token"]) == {"id", "issued_at", "expires", "audit_ids", "tenant"}
    assert access["token"]["expires"].endswith("Z")
    assert access["token"]["tenant"]["name"] == "demo"
    assert access["user"]["name"] == access["user"]["username"] == "demo"
    assert {"name": "member"} in access["user"]["roles"]
    assert service.valid(access["token"]["id"])


def test_the_catalog_in_the_shape_of_2015(service: Service) -> None:
    access = _log_in(service, tenantName="demo", passwordCredentials=_password(service)).body["access"]
    found = {each["type"]: each["endpoints"][0] for each in access["serviceCatalog"]}
    assert found["database"]["publicURL"] == f"http://127.0.0.1:8779/v1.0/{access['token']['tenant']['id']}"
    assert found["identity"]["publicURL"] == f"{service.url}/v2.0"
    assert found["database"]["region"] == "RegionOne"


def test_by_tenant_id_by_token_and_by_api_key(service: Service) -> None:
    project, user = service.id_of("projects", "demo"), service.id_of("users", "demo")
    first = _log_in(service, tenantId=project, passwordCredentials=_password(service)).body["access"]
    token = first["token"]["id"]
    second = _log_in(service, tenantId=project, token={"id": token}).body["access"]
    assert second["token"]["tenant"]["id"] == project
    body = {"application_credential": {"name": "key"}}
    made = service.ask("POST", f"/v3/users/{user}/application_credentials", body, token).body["application_credential"]
    for name in ("apiKeyCredentials", "RAX-KSKEY:apiKeyCredentials"):
        third = _log_in(service, tenantName="demo", **{name: {"username": "demo", "apiKey": made["secret"]}})
        assert third.body["access"]["token"]["tenant"]["id"] == project
    assert _log_in(service, apiKeyCredentials={"username": "demo", "apiKey": "wrong"}).status == 401


def test_without_a_tenant_the_default_project_is_opened(service: Service) -> None:
    assert _log_in(service, passwordCredentials=_password(service)).body["access"]["token"]["tenant"]["name"] == "demo"
    service.make_user("alice")
    unscoped = _log_in(service, passwordCredentials=_password(service, "alice")).body["access"]
    assert "tenant" not in unscoped["token"]
    assert unscoped["serviceCatalog"] == []


def test_tenants_are_the_projects_one_may_enter(service: Service) -> None:
    token = _log_in(service, passwordCredentials=_password(service)).body["access"]["token"]["id"]
    assert [each["name"] for each in service.ask("GET", "/v2.0/tenants", token=token).body["tenants"]] == ["demo"]
    assert service.ask("GET", "/v2.0/tenants").status == 401


@pytest.mark.parametrize("tenant", ["admin", "nowhere"])
def test_another_tenant_is_refused(service: Service, tenant: str) -> None:
    refused = _log_in(service, tenantName=tenant, passwordCredentials=_password(service))
    assert refused.status == 401
    assert refused.body["error"]["title"] == "Unauthorized"


@pytest.mark.parametrize("path", ["/v1.0", "/v1"])
def test_headers_of_version_1(service: Service, path: str) -> None:
    project = service.id_of("projects", "demo")
    key = service.passwords["demo"]
    for named in ("demo", project, ""):
        told = {"X_Auth_User": "demo", "X_Auth_Key": key, **({"X_Auth_Project_Id": named} if named else {})}
        answer = service.ask("GET", path, **told)
        assert answer.status == 204
        assert answer.headers["X-Server-Management-Url"] == f"http://127.0.0.1:8779/v1.0/{project}"
        assert service.valid(answer.headers["X-Auth-Token"])
    assert service.ask("GET", path, X_Auth_User="demo", X_Auth_Key="wrong").status == 401
    assert service.ask("GET", path).status == 401
