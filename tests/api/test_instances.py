"""Instances: list, show, rename, delete."""

from __future__ import annotations

import pytest
from calling import As, Create, Ready

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Guest, Instance

NOWHERE = "00000000-0000-4000-8000-000000000000"


def test_an_instance_that_is_up(ready: Ready, member: As) -> None:
    seen = member.get(f"/instances/{ready()}")["instance"]
    assert (seen["status"], seen["operating_status"]) == ("ACTIVE", "HEALTHY")
    assert seen["ip"] == ["127.9.0.1"]
    network = "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"
    assert seen["addresses"] == [{"address": "127.9.0.1", "type": "private", "port": 5432, "network": network}]
    assert seen["endpoints"] == [
        {"role": "writer", "host": "127.9.0.1", "port": 5432, "scheme": "postgresql", "tls": "enforced"}
    ]
    assert seen["guarantees"] == ["isolation", "volume-size"]
    assert seen["volume"] == {"size": 2, "used": 0.5, "used_percent": 25.0}
    assert seen["access"] == {"is_public": False}
    assert "password" not in seen


@pytest.mark.parametrize("key", ["fault", "configuration", "replica_of", "replicas", "hostname", "locality", "nics"])
def test_what_is_not_there_is_absent_and_not_null(ready: Ready, member: As, key: str) -> None:
    assert key not in member.get(f"/instances/{ready()}")["instance"]


def test_the_list_is_short_and_the_detail_is_not(ready: Ready, member: As) -> None:
    ready()
    (listed,) = member.get("/instances")["instances"]
    (detailed,) = member.get("/instances/detail")["instances"]
    assert set(detailed) - set(listed) == {
        "created",
        "updated",
        "service_status_updated",
        "endpoints",
        "guarantees",
        "deletion_protection",
    }
    assert detailed["volume"] == {"size": 2}


def test_timestamps_have_neither_fraction_nor_zone(ready: Ready, member: As) -> None:
    seen = member.get(f"/instances/{ready()}")["instance"]
    for key in ("created", "updated", "service_status_updated"):
        assert len(seen[key]) == len("2026-08-14T09:30:00")
        assert seen[key][10] == "T"


def test_a_silent_guest_is_in_error(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.get_one(Guest, instance_id).seen_at = clock.now() - 91
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["operating_status"]) == ("ACTIVE", "ERROR")
    assert "used" not in seen["volume"]


def test_a_fault_tells_its_details_to_admins_only(ready: Ready, member: As, admin: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        row = session.get_one(Instance, instance_id)
        row.task, row.fault, row.fault_details, row.fault_at = "ERROR", "the pool is full", "loop0", 0.0
    told = member.get(f"/instances/{instance_id}")["instance"]
    assert told["status"] == "ERROR"
    assert told["fault"] == {"message": "the pool is full", "created": told["fault"]["created"], "details": None}
    assert admin.get(f"/instances/{instance_id}")["instance"]["fault"]["details"] == "loop0"


def test_admins_are_told_more(ready: Ready, member: As, admin: As) -> None:
    instance_id = ready()
    more = set(admin.get(f"/instances/{instance_id}")["instance"]) - set(
        member.get(f"/instances/{instance_id}")["instance"]
    )
    assert more == {"tenant_id", "server_id", "volume_id", "encrypted_rpc_messaging"}


def test_lists_show_only_the_project_also_to_admins(ready: Ready, stranger: As, admin: As) -> None:
    ready()
    assert stranger.get("/instances") == {"instances": []}
    assert admin.get("/instances") == {"instances": []}


@pytest.mark.parametrize("name", ["m1", "with space", "a/b", NOWHERE, "%00", "..", "é", "1"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_no_id_here_is_not_found(ready: Ready, member: As, method: str, name: str) -> None:
    ready()
    assert member.refused(method, f"/instances/{name}")[:2] == (404, "itemNotFound")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"instance": {"name": "mine"}}),
        ("PATCH", "", {"instance": {"name": "mine"}}),
        ("DELETE", "", None),
        ("POST", "/action", {"restart": {}}),
        ("GET", "/operations", None),
        ("GET", "/root", None),
        ("POST", "/root", None),
    ],
)
def test_another_projects_instance_is_not_found(
    ready: Ready, stranger: As, method: str, path: str, body: object
) -> None:
    assert stranger.refused(method, f"/instances/{ready()}{path}", body)[:2] == (404, "itemNotFound")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rename(ready: Ready, member: As, method: str) -> None:
    instance_id = ready()
    answer = member(method, f"/instances/{instance_id}", {"instance": {"name": "new name"}})
    assert (answer.status_code, answer.content) == (202, b"")
    assert member.get(f"/instances/{instance_id}")["instance"]["name"] == "new name"


@pytest.mark.parametrize("body", [{}, {"configuration": None}])
def test_detaching_a_configuration_where_there_is_none(ready: Ready, member: As, body: object) -> None:
    assert member("PUT", f"/instances/{ready()}", {"instance": body}).status_code == 202


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("PUT", {"instance": {"name": ""}}, 400),
        ("PUT", {"instance": {"name": "--"}}, 400),
        ("PUT", {"instance": {"name": None}}, 400),
        ("PUT", {"instance": {"name": "x" * 256}}, 400),
        ("PUT", {"instance": {"name": 7}}, 400),
        ("PUT", {"instance": {"nome": "x"}}, 400),
        ("PUT", {"instance": []}, 400),
        ("PUT", {}, 400),
        ("PUT", None, 400),
        ("PUT", {"instance": {"configuration": None, "replica_of": None}}, 400),
        ("PUT", {"instance": {"replica_of": ""}}, 400),
        ("PUT", {"instance": {"slave_of": ""}}, 400),
        ("PATCH", {"instance": {"slave_of": ""}}, 400),
        ("PATCH", {"instance": {"access": {"is_public": True}}}, 400),
        ("PUT", {"instance": {"configuration": NOWHERE}}, 404),
        ("PATCH", {"instance": {"datastore_version": "17"}}, 400),
    ],
)
def test_what_cannot_be_changed(ready: Ready, member: As, method: str, body: object, status: int) -> None:
    instance_id = ready()
    assert member.refused(method, f"/instances/{instance_id}", body)[0] == status
    assert member.get(f"/instances/{instance_id}")["instance"]["name"] == "m1"


def test_delete_is_accepted_while_building_and_again(create: Create, member: As) -> None:
    instance_id = create()["id"]
    for _ in range(2):
        answer = member("DELETE", f"/instances/{instance_id}")
        assert (answer.status_code, answer.content) == (202, b"")
        assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "SHUTDOWN"


def test_what_is_deleted_is_gone(ready: Ready, member: As, admin: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.get_one(Instance, instance_id).deleted = True
    assert member.get("/instances") == {"instances": []}
    for who in (member, admin):
        assert who.refused("GET", f"/instances/{instance_id}")[0] == 404
        assert who.refused("DELETE", f"/instances/{instance_id}")[0] == 404


def test_an_admin_deletes_anybodys_from_the_own_url(ready: Ready, admin: As, member: As) -> None:
    instance_id = ready()
    assert admin("DELETE", f"/instances/{instance_id}").status_code == 202
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "SHUTDOWN"


def test_one_that_is_only_to_be_looked_at_says_until_when(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        row = session.get_one(Instance, instance_id)
        row.restored_from = {"backup_id": "b", "name": "b", "moment": None, "proof": "restorable", "target": None}
        row.ends_at = 1_800_000_000.0
    assert member.get(f"/instances/{instance_id}")["instance"]["ends_at"] == "2027-01-15T08:00:00"
