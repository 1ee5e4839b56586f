"""Who reaches an instance, at which address, and beside which others."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Create, Ready, order

from argosy.db.session import Database
from argosy.db.tables import Endpoint, Event, Fact, Instance, Run
from argosy.workflows import ports

PUBLIC = {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}
NET = "11111111-2222-4333-8444-555555555555"


def put(member: As, instance_id: str, **told: Any) -> int:
    return member("PUT", f"/instances/{instance_id}", {"instance": told}).status_code


def publish(database: Database, instance_id: str, *hosts: str) -> None:
    """What the operation leaves."""
    with database.write() as session:
        row = session.get_one(Instance, instance_id)
        session.add(
            Endpoint(
                id=instance_id[::-1],
                instance_id=instance_id,
                role=ports.PUBLIC,
                host=hosts[0],
                port=20_001,
                names=list(hosts),
            )
        )
        row.access = PUBLIC


def test_access_is_changed_by_an_operation(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    assert put(member, instance_id, access=PUBLIC) == 202
    with database.read() as session:
        run = session.query(Run).filter_by(workflow="change_access", subject=instance_id).one()
        assert run.memory["wanted"] == PUBLIC
        told = session.query(Event).filter_by(kind="dbaas.instance_access.start").one()
        assert told.payload["access"] == PUBLIC
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["access"]) == ("ACTIVE", {"is_public": False})


def test_what_is_not_told_stays(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    publish(database, instance_id, "192.0.2.1")
    assert put(member, instance_id, access={"allowed_cidrs": []}) == 202
    with database.read() as session:
        run = session.query(Run).filter_by(workflow="change_access", subject=instance_id).one()
        assert run.memory["wanted"] == {"is_public": True, "allowed_cidrs": []}


def test_no_two_changes_at_once(ready: Ready, member: As) -> None:
    instance_id = ready()
    assert put(member, instance_id, access=PUBLIC) == 202
    assert put(member, instance_id, access=PUBLIC) == 422


def test_a_stopped_instance_cannot_become_public_but_private(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.get_one(Instance, instance_id).wanted = "stopped"
    assert put(member, instance_id, access=PUBLIC) == 422
    publish(database, instance_id, "192.0.2.1")
    assert put(member, instance_id, access={"is_public": False}) == 202


@pytest.mark.parametrize(
    "access",
    [
        {"is_public": "yes"},
        {"allowed_cidrs": ["10.0.0.0/40"]},
        {"allowed_cidrs": ["nonsense"]},
        {"allowed_cidrs": [f"10.0.{number // 256}.{number % 256}" for number in range(1001)]},
        {"everybody": True},
        "public",
    ],
)
def test_access_that_is_none_is_refused_and_changes_nothing(
    ready: Ready, member: As, database: Database, access: Any
) -> None:
    instance_id = ready()
    assert put(member, instance_id, access=access) == 400
    with database.read() as session:
        assert session.query(Run).filter_by(workflow="change_access").count() == 0


def test_another_projects_access_is_nobodys_business(ready: Ready, stranger: As) -> None:
    assert put(stranger, ready(), access=PUBLIC) == 404


def test_public_addresses_are_told_with_their_port(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    publish(database, instance_id, "192.0.2.1", "db.example.org")
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert [(each["type"], each["address"], each["port"]) for each in seen["addresses"]] == [
        ("private", "127.9.0.1", 5432),
        ("public", "192.0.2.1", 20_001),
        ("public", "db.example.org", 20_001),
    ]
    assert "network" not in seen["addresses"][1]
    assert seen["ip"] == ["127.9.0.1", "192.0.2.1", "db.example.org"]
    assert [(each["role"], each["host"]) for each in seen["endpoints"]] == [
        ("writer", "127.9.0.1"),
        ("public", "192.0.2.1"),
        ("public", "db.example.org"),
    ]
    assert seen["access"] == PUBLIC


def test_a_place_that_is_not_open_yet_is_not_told(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    publish(database, instance_id, "192.0.2.1")
    with database.write() as session:
        session.get_one(Instance, instance_id).access = {"is_public": False}
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert seen["ip"] == ["127.9.0.1"]
    assert [each["role"] for each in seen["endpoints"]] == ["writer"]


def test_a_requested_address_is_of_this_network_and_free(ready: Ready, member: As, database: Database) -> None:
    ready()  # has 127.9.0.1
    with database.write() as session:
        session.get_one(Fact, "provider").value = {"name": "local", "features": [], "network": "127.9.0.0/16"}

    def asked(**nic: str) -> tuple[int, str]:
        answer = member("POST", "/instances", order(nics=[{"net-id": NET, "subnet_id": NET, **nic}]))
        return answer.status_code, answer.text

    assert asked(ip_address="127.9.0.7")[0] == 200
    assert asked(**{"v4-fixed-ip": "127.9.0.8"})[0] == 200
    status, words = asked(ip_address="10.0.0.5")
    assert status == 400
    assert "choose one of 127.9.0.0/16" in words
    status, words = asked(ip_address="127.9.0.1")
    assert status == 400
    assert "is taken" in words


def test_locality_is_told_back(create: Create) -> None:
    assert create(locality="soft-anti-affinity")["locality"] == "soft-anti-affinity"
