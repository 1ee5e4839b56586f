"""`openstack` and identity: log in, look around, make users and projects."""

from __future__ import annotations

from dataclasses import replace

import pytest
from public_clients import Clients, Failed

from argosy.testing.deployments import Deployment


def test_token_issue(demo: Clients, argosy: Deployment) -> None:
    told = demo.openstack("token", "issue")
    assert told["id"].startswith("argosy_")
    assert told["project_id"] in {each["ID"] for each in Clients(argosy.env()).openstack("project", "list")}


def test_catalog_list(demo: Clients, argosy: Deployment) -> None:
    found = {each["Type"]: each for each in demo.openstack("catalog", "list")}
    assert set(found) == {"identity", "database"}
    public = [each["url"] for each in found["database"]["Endpoints"] if each["interface"] == "public"]
    assert public[0].startswith(f"http://127.0.0.1:{argosy.settings.api.port}/v1.0/")


def test_everybody_lists_the_projects_that_are_theirs(admin: Clients, demo: Clients) -> None:
    assert {"admin", "demo"} <= {each["Name"] for each in admin.openstack("project", "list")}
    assert [each["Name"] for each in demo.openstack("project", "list")] == ["demo"]


def test_a_second_tenant_from_nothing_to_nothing(admin: Clients) -> None:
    admin.openstack("project", "create", "acme", "--description", "the second tenant")
    admin.openstack("user", "create", "alice", "--project", "acme", "--password", "wonderland", "--email", "a@b.c")
    admin.openstack("role", "add", "member", "--user", "alice", "--project", "acme")
    told = {"OS_USERNAME": "alice", "OS_PASSWORD": "wonderland", "OS_PROJECT_NAME": "acme"}
    alice = replace(admin, environment={**admin.environment, **told})
    assert alice.openstack("database", "instance", "list") == []
    with pytest.raises(Failed, match="403"):
        alice.openstack("user", "list")
    assigned = admin.openstack("role", "assignment", "list", "--user", "alice", "--names")
    assert [(each["Role"], each["Project"]) for each in assigned] == [("member", "acme@Default")]
    admin.openstack("user", "set", "alice", "--disable")
    with pytest.raises(Failed, match="401"):
        alice.openstack("token", "issue")
    admin.openstack("user", "delete", "alice")
    admin.openstack("project", "delete", "acme")
    assert "acme" not in {each["Name"] for each in admin.openstack("project", "list")}


def test_a_program_logs_in_with_an_application_credential(demo: Clients) -> None:
    made = demo.openstack("application", "credential", "create", "ci")
    unnamed = {name: value for name, value in demo.environment.items() if not name.startswith("OS_")}
    program = Clients(
        {
            **unnamed,
            "OS_AUTH_TYPE": "v3applicationcredential",
            "OS_AUTH_URL": demo.environment["OS_AUTH_URL"],
            "OS_APPLICATION_CREDENTIAL_ID": made["ID"],
            "OS_APPLICATION_CREDENTIAL_SECRET": made["Secret"],
        }
    )
    assert isinstance(program.openstack("database", "instance", "list"), list)
    demo.openstack("application", "credential", "delete", "ci")
    with pytest.raises(Failed, match="401"):
        program.openstack("token", "issue")


def test_a_wrong_password_is_said_to_be_one(demo: Clients) -> None:
    wrong = Clients({**demo.environment, "OS_PASSWORD": "wrong"})
    with pytest.raises(Failed, match=r"requires authentication.*HTTP 401"):
        wrong.openstack("token", "issue")
