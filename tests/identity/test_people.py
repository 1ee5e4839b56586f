"""Users, projects, roles: who may do what with them, and what is told back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from identity_client import Service

from argosy import clock
from argosy.db.tables import Instance


def test_a_project_is_made_shown_changed_found_and_removed(service: Service) -> None:
    made = service.admin("POST", "/v3/projects", {"project": {"name": "acme", "description": "x"}})
    assert made.status == 201
    project = made.body["project"]
    assert project["enabled"] is True
    assert (project["domain_id"], project["parent_id"], project["is_domain"]) == ("default", "default", False)
    path = f"/v3/projects/{project['id']}"
    assert service.admin("PATCH", path, {"project": {"name": "ajax"}}).body["project"]["description"] == "x"
    assert service.admin("GET", path).body["project"]["name"] == "ajax"
    listed = service.admin("GET", "/v3/projects?name=ajax").body
    assert [each["id"] for each in listed["projects"]] == [project["id"]]
    assert listed["links"]["next"] is None
    assert service.admin("DELETE", path).status == 204
    assert service.admin("GET", path).status == 404


def test_a_project_with_databases_is_not_removed(service: Service) -> None:
    project = service.make_project("acme")
    instance = Instance(
        id=str(uuid4()), project_id=project, name="m1", version_id="v", flavor_id="1", ram=256, gigabytes=1,
        region="RegionOne", created=clock.now(), updated=clock.now(),
    )  # fmt: skip
    with service.database.write() as session:
        session.add(instance)
    refused = service.admin("DELETE", f"/v3/projects/{project}")
    assert refused.status == 409
    assert "acme still has 1 databases" in refused.body["error"]["message"]


def test_a_user_is_made_shown_changed_and_removed(service: Service) -> None:
    told = {"name": "bob", "password": "secret", "email": "b@x", "description": "d", "enabled": True}
    made = service.admin("POST", "/v3/users", {"user": told})
    assert made.status == 201
    assert "password" not in made.body["user"]
    path = f"/v3/users/{made.body['user']['id']}"
    changed = service.admin("PATCH", path, {"user": {"email": "c@x"}}).body["user"]
    assert (changed["email"], changed["description"], changed["name"]) == ("c@x", "d", "bob")
    assert "default_project_id" not in changed
    assert service.admin("DELETE", path).status == 204
    assert service.admin("GET", path).status == 404
    assert service.log_in("bob", "secret").status == 401


@pytest.mark.parametrize("kind", ["project", "user"])
def test_names_are_unique_also_when_all_ask_at_once(service: Service, kind: str) -> None:
    body, token = {kind: {"name": "same", "password": "x"}}, service.log_in("admin").token
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.ask("POST", f"/v3/{kind}s", body, token).status, range(16)))
    assert sorted(answers) == [201] + [409] * 15


def test_a_user_sees_itself_and_its_projects_only(service: Service) -> None:
    alice, demo = service.make_user("alice", "acme"), service.id_of("users", "demo")
    token = service.log_in("alice").token
    assert service.ask("GET", f"/v3/users/{alice}", token=token).body["user"]["name"] == "alice"
    assert service.ask("GET", f"/v3/users/{demo}", token=token).status == 403
    assert service.ask("GET", f"/v3/users/{demo}/projects", token=token).status == 403
    mine = service.ask("GET", f"/v3/users/{alice}/projects", token=token).body["projects"]
    assert [each["name"] for each in mine] == ["acme"]
    theirs = service.id_of("projects", "demo")
    assert service.ask("GET", f"/v3/projects/{theirs}", token=token).status == 403
    assert service.ask("GET", f"/v3/projects/{mine[0]['id']}", token=token).status == 200
    assert service.ask("GET", "/v3/projects/no-such-project", token=token).status == 403


ADMIN_ONLY = [
    *(("GET", f"/v3/{kind}") for kind in ("projects", "users", "roles", "role_assignments", "services", "endpoints")),
    *(("POST", f"/v3/{kind}") for kind in ("projects", "users")),
    *((method, "/v3/projects/{demo}") for method in ("PATCH", "DELETE")),
    *((method, "/v3/users/{alice}") for method in ("PATCH", "DELETE")),
    *((method, "/v3/projects/{demo}/users/{alice}/roles/{admin}") for method in ("PUT", "DELETE")),
]


def test_only_an_admin_rules(service: Service) -> None:
    ids = {"alice": service.make_user("alice", "acme"), "demo": service.id_of("projects", "demo")}
    ids["admin"], token = service.role("admin"), service.log_in("alice").token
    body = {"project": {"name": "x"}, "user": {"name": "x", "enabled": False}}
    for method, path in ADMIN_ONLY:
        assert service.ask(method, path.format(**ids), body, token).status == 403, (method, path)
        assert service.ask(method, path.format(**ids), body).status == 401, (method, path)


def test_a_role_is_given_seen_and_taken(service: Service) -> None:
    alice, project, role = service.make_user("alice"), service.id_of("projects", "demo"), service.role("member")
    path = f"/v3/projects/{project}/users/{alice}/roles"
    assert service.admin("HEAD", f"{path}/{role}").status == 404
    for _ in range(2):
        assert service.admin("PUT", f"{path}/{role}").status == 204
    assert service.admin("HEAD", f"{path}/{role}").status == 204
    assert [each["name"] for each in service.admin("GET", path).body["roles"]] == ["member"]
    found = service.admin("GET", f"/v3/role_assignments?user.id={alice}&include_names").body["role_assignments"]
    assert [(each["user"]["name"], each["scope"]["project"]["name"], each["role"]["name"]) for each in found] == [
        ("alice", "demo", "member")
    ]
    assert service.admin("DELETE", f"{path}/{role}").status == 204
    assert service.admin("DELETE", f"{path}/{role}").status == 404
    assert service.log_in("alice", scope={"project": {"id": project}}).status == 401


def test_nobody_gets_a_role_that_is_not_there(service: Service) -> None:
    alice, project = service.make_user("alice"), service.id_of("projects", "demo")
    member = service.role("member")
    assert service.admin("PUT", f"/v3/projects/{project}/users/{alice}/roles/made-up").status == 404
    assert service.admin("PUT", f"/v3/projects/made-up/users/{alice}/roles/{member}").status == 404
    assert service.admin("PUT", f"/v3/projects/{project}/users/made-up/roles/{member}").status == 404
    assert service.admin("GET", "/v3/role_assignments?scope.project.id=made-up").body["role_assignments"] == []


def test_a_password_is_changed_by_whoever_knows_the_old_one(service: Service) -> None:
    alice = service.make_user("alice", "acme")
    path = f"/v3/users/{alice}/password"
    assert service.ask("POST", path, {"user": {"original_password": "no", "password": "n"}}).status == 401
    assert service.ask("POST", path, {"user": {"original_password": "alicealice", "password": ""}}).status == 400
    assert service.ask("POST", path, {"user": {"original_password": "alicealice", "password": "neu ☃"}}).status == 204
    assert service.log_in("alice").status == 401
    assert service.log_in("alice", "neu ☃").status == 201


def test_the_rest_of_the_catalog_is_there_to_be_listed(service: Service) -> None:
    services = service.admin("GET", "/v3/services?type=database").body["services"]
    assert [each["name"] for each in services] == ["trove"]
    endpoints = service.admin("GET", f"/v3/endpoints?service_id={services[0]['id']}&interface=public").body["endpoints"]
    assert [each["url"] for each in endpoints] == ["http://127.0.0.1:8779/v1.0/%(project_id)s"]
    assert service.admin("GET", f"/v3/endpoints/{endpoints[0]['id']}").status == 200
    assert service.admin("GET", "/v3/regions/RegionOne").body["region"]["id"] == "RegionOne"
    assert service.admin("GET", "/v3/domains/default").body["domain"]["name"] == "Default"
    assert service.admin("GET", "/v3/domains?name=Other").body["domains"] == []
    assert [service.admin("GET", f"/v3/{kind}/x").status for kind in ("services", "regions", "domains")] == [404] * 3
