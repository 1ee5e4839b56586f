"""What the real clients were seen to send, request by request, and what they need to read."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Ready

NET = "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"
OPENSTACK = {
    "name": "m1",
    "flavorRef": 1,
    "volume": {"size": 1, "type": None},
    "databases": [{"name": "app"}],
    "users": [{"name": "joe", "password": "pw", "databases": [{"name": "app"}]}],
    "datastore": {"type": "mariadb", "version": "10.11"},
    "nics": [{"network_id": NET}],
    "access": {"is_public": False, "allowed_cidrs": ["10.0.0.0/8"]},
}
TROVE = {
    "name": "m1",
    "flavorRef": "1",
    "volume": {"size": 1, "type": None},
    "datastore": {"type": "postgresql"},
    "nics": [{"net-id": NET}],
}
OPENSTACKSDK = {
    "name": "m1",
    "flavor": {"id": "1"},
    "volume": {"size": 1},
    "datastore": {"type": "postgresql", "version": "15"},
}
HEAT = {
    "name": "m1",
    "flavorRef": "1",
    "volume": {"size": 1},
    "databases": [{"name": "app", "character_set": "utf8", "collate": "utf8_general_ci"}],
    "users": [{"name": "joe", "password": "pw", "host": "%", "databases": [{"name": "app"}]}],
    "nics": [{"net-id": NET, "v4-fixed-ip": "10.0.0.5"}],
    "replica_count": 1,
    "datastore": {"type": "mariadb", "version": "10.11"},
}
TERRAFORM = {
    "name": "m1",
    "flavorRef": "1",
    "volume": {"size": 1},
    "datastore": {"type": "mariadb", "version": "10.11"},
    "nics": [{"net-id": NET, "port-id": NET, "v4-fixed-ip": "10.0.0.5", "v6-fixed-ip": "fe80::1"}],
    "databases": [{"name": "app", "character_set": "utf8mb4", "collate": "utf8mb4_general_ci"}],
    "users": [{"name": "joe", "password": "pw", "host": "%"}],
}


@pytest.mark.parametrize(
    "sent",
    [OPENSTACK, TROVE, OPENSTACKSDK, HEAT, TERRAFORM],
    ids=["openstack", "trove", "openstacksdk", "heat", "terraform"],
)
def test_creation(member: As, sent: dict[str, Any]) -> None:
    assert member.get("/flavors/1")["flavor"]["str_id"] == "1"
    answer = member("POST", "/instances", {"instance": sent})
    assert answer.status_code == 200
    made = answer.json["instance"]
    assert made["status"] == "BUILD"
    assert isinstance(made["flavor"]["id"], str)
    assert {"volume", "service_status_updated", "region", "access", "links"} <= set(made)
    assert made["datastore"]["version_number"]
    seen = member.get(f"/instances/{made['id']}")["instance"]
    del seen["recovery"]  # of what has been there for a while
    assert {key: value for key, value in made.items() if key != "password"} == seen


def test_openstack_finds_by_name(ready: Ready, member: As) -> None:
    instance_id = ready("my db")
    assert member.refused("GET", "/instances/my%20db")[0] == 404
    (found,) = member.get("/instances?include_clustered=False")["instances"]
    assert (found["id"], found["name"]) == (instance_id, "my db")
    assert member.get(f"/instances/{instance_id}")["instance"]["ip"] == ["127.9.0.1"]


def test_openstack_restarts_and_deletes(ready: Ready, member: As) -> None:
    instance_id = ready()
    assert member("POST", f"/instances/{instance_id}/action", {"restart": {}}).status_code == 202
    assert member("DELETE", f"/instances/{instance_id}").status_code == 202


def test_troveclient_reads_limits_after_the_first(member: As) -> None:
    absolute, *rates = member.get("/limits")["limits"]
    assert absolute["max_instances"] > 0
    assert all({"value", "verb", "remaining", "unit"} <= set(each) for each in rates)


def test_troveclient_reads_the_marker_of_the_next_page(ready: Ready, member: As) -> None:
    ready("m1")
    ready("m2")
    page = member.get("/instances?limit=1&include_clustered=False")
    (link,) = page["links"]
    marker = link["href"].rpartition("marker=")[2]
    assert marker == page["instances"][0]["id"]


def test_openstackclient_lists_datastore_versions_by_name(member: As) -> None:
    (version,) = member.get("/datastores/mariadb/versions")["versions"]
    assert {"id", "name", "version"} <= set(version)
    shown = member.get("/datastores/mariadb")["datastore"]
    assert shown["default_version"] in {each["id"] for each in shown["versions"]}


def test_openstacksdk_renames_and_restarts(ready: Ready, member: As) -> None:
    instance_id = ready()
    assert member("PUT", f"/instances/{instance_id}", {"instance": {"name": "n"}}).status_code == 202
    assert member("POST", f"/instances/{instance_id}/action", {"restart": None}).status_code == 202


def test_terraform_detaches_what_is_not_attached_and_polls_a_delete(ready: Ready, member: As) -> None:
    instance_id = ready()
    assert member("PUT", f"/instances/{instance_id}", {"instance": {}}).status_code == 202
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "ACTIVE"
    member("DELETE", f"/instances/{instance_id}")
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "SHUTDOWN"


def test_a_forced_delete_of_the_legacy_shell(ready: Ready, member: As) -> None:
    instance_id = ready()
    action = member("POST", f"/instances/{instance_id}/action", {"reset_status": {"force_delete": True}})
    assert (action.status_code, member("DELETE", f"/instances/{instance_id}").status_code) == (202, 202)
