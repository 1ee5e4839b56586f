"""`openstack database` and `openstack datastore`: what people type first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from public_clients import Clients, Failed

from argosy.testing.waiting import eventually

SMALL = ("--flavor", "1", "--size", "1", "--datastore", "redis")
NETWORK = "8b9a5d70-5a5e-4d1c-8c3b-2f4f0a3f6a11"


def test_flavors_and_datastores(demo: Clients) -> None:
    flavors = {each["ID"] for each in demo.openstack("database", "flavor", "list")}
    assert {"1", "6.1"} <= {str(each) for each in flavors}
    assert demo.openstack("database", "flavor", "show", "1")["name"] == "tiny"
    stores = {each["Name"] for each in demo.openstack("datastore", "list")}
    assert {"postgresql", "mariadb", "mysql", "redis"} <= stores


def test_versions_by_the_name_of_the_datastore(demo: Clients) -> None:
    versions = demo.openstack("datastore", "version", "list", "postgresql")
    assert any(each["Name"].startswith("15") for each in versions)
    shown = demo.openstack("datastore", "version", "show", versions[0]["Name"], "--datastore", "postgresql")
    assert shown["id"] == versions[0]["ID"]
    assert demo.openstack("datastore", "show", "postgresql")["name"] == "postgresql"


@pytest.mark.parametrize(
    ("engine", "further"),
    [
        ("redis", ()),
        ("postgresql", ("--databases", "shop", "--users", "anna:anna-secret", "--nic", f"net-id={NETWORK}")),
        ("mariadb", ("--databases", "shop", "--users", "anna:anna-secret", "--is-public")),
    ],
)
def test_an_instance_from_create_to_delete(demo: Clients, engine: str, further: tuple[str, ...]) -> None:
    name = f"osc-{engine}"
    asked = (name, "--flavor", "1", "--size", "1", "--datastore", engine, *further)
    made = demo.openstack("database", "instance", "create", *asked)
    assert made["status"] == "BUILD"
    assert made["datastore"] == engine
    eventually(_shows(demo, name, "ACTIVE"), within=90, every=0.5)
    shown = demo.openstack("database", "instance", "show", name)
    assert shown["id"] == made["id"]
    assert shown["operating_status"] == "HEALTHY"
    assert shown["addresses"]
    listed = {each["Name"]: each for each in demo.openstack("database", "instance", "list")}
    assert listed[name]["ID"] == made["id"]
    assert listed[name]["Datastore"] == engine
    demo.openstack("database", "instance", "delete", name)
    eventually(lambda: _gone(demo, made["id"]), within=60, every=0.5)


def test_another_tenant_sees_nothing_of_it(demo: Clients, admin: Clients) -> None:
    made = demo.openstack("database", "instance", "create", "private", *SMALL)
    assert made["id"] not in {each["ID"] for each in admin.openstack("database", "instance", "list")}
    demo.openstack("database", "instance", "delete", made["id"])
    eventually(lambda: _gone(demo, made["id"]), within=90, every=0.5)


def test_what_is_not_there_is_said_to_be_missing(demo: Clients) -> None:
    with pytest.raises(Failed, match="No instance with a name or ID of 'nowhere'"):
        demo.openstack("database", "instance", "show", "nowhere")


def _shows(clients: Clients, name: str, status: str) -> Callable[[], bool]:
    def look() -> bool:
        shown: dict[str, Any] = clients.openstack("database", "instance", "show", name)
        assert shown["status"] != "ERROR", shown
        return bool(shown["status"] == status)

    return look


def _gone(clients: Clients, instance: str) -> bool:
    return instance not in {each["ID"] for each in clients.openstack("database", "instance", "list")}
