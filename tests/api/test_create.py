"""Create: what is accepted, what is refused, and with which words."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Create, order
from seeding import POSTGRESQL, VERSIONS

from argosy.db.session import Database
from argosy.db.tables import Command, Instance, Lock, QuotaUse, Run, RunStep

NET = "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"


def test_a_new_instance_is_told_whole(create: Create) -> None:
    made = create("m1", availability_zone="nova", nics=[{"net-id": NET}])
    assert (made["status"], made["operating_status"]) == ("BUILD", "")
    assert len(made["password"]) == 36
    assert made["datastore"] == {"type": "postgresql", "version": "15", "version_number": "15.18"}
    assert made["flavor"]["id"] == "2"
    assert made["volume"] == {"size": 2}
    assert made["region"] == "RegionOne"
    assert made["access"] == {}
    assert (made["availability_zone"], made["nics"]) == ("nova", [{"net-id": NET}])
    assert made["service_status_updated"] is None
    assert not {"ip", "addresses", "fault", "locality", "replica_of"} & set(made)


def test_with_users_of_its_own_no_password_is_told(create: Create) -> None:
    databases, users = [{"name": "app"}], [{"name": "joe", "password": "pw", "databases": [{"name": "app"}]}]
    assert "password" not in create(databases=databases, users=users)


def test_accounts_arrive_whole(create: Create, database: Database) -> None:
    users = [{"name": "joe", "password": "p w'x", "host": "10.0.0.%", "databases": [{"name": "app"}, {"name": "app"}]}]
    create(databases=[{"name": "app", "character_set": "utf8", "collate": "C"}], users=users)
    with database.read() as session:
        accounts = session.query(Run).one().memory["accounts"]
    assert accounts["databases"] == [{"name": "app", "character_set": "utf8", "collate": "C"}]
    assert accounts["users"] == [{"name": "joe", "password": "p w'x", "host": "%", "databases": ["app"]}]


def test_hosts_of_users_arrive_where_they_mean_something(create: Create, database: Database) -> None:
    create(datastore={"type": "mariadb"}, users=[{"name": "joe", "password": "pw", "host": "10.0.0.%"}])
    with database.read() as session:
        (user,) = session.query(Run).one().memory["accounts"]["users"]
    assert user["host"] == "10.0.0.%"


@pytest.mark.parametrize("reference", ["6.1", 6.1, "http://x/flavors/6.1", {"id": "6.1"}])
def test_flavors_are_strings(create: Create, reference: object) -> None:
    assert create(flavorRef=None, flavor=reference)["flavor"]["id"] == "6.1"


@pytest.mark.parametrize("reference", ["2", 2, 2.0, "https://h/v1.0/p/flavors/2", "https://h/flavors/2/"])
def test_flavors_by_number_and_link(create: Create, reference: object) -> None:
    assert create(flavorRef=reference)["flavor"]["id"] == "2"


@pytest.mark.parametrize(
    ("datastore", "version"),
    [
        ({"type": "postgresql"}, "15"),
        ({"type": POSTGRESQL}, "15"),
        ({"type": "postgresql", "version": "17"}, "17"),
        ({"type": "postgresql", "version": "17.10"}, "17"),
        ({"type": "postgresql", "version": VERSIONS["17"]}, "17"),
        ({"type": "postgresql", "version": "17", "version_number": "17.10"}, "17"),
        ({"type": "postgresql", "version_number": "17.10"}, "17"),
        ({"type": "mariadb", "version": "10"}, "10.11"),
    ],
)
def test_versions_by_many_names(create: Create, datastore: object, version: str) -> None:
    assert create(datastore=datastore)["datastore"]["version"] == version


@pytest.mark.parametrize(
    "more",
    [
        {"volume": {"size": "2", "type": None}},
        {"volume": {"size": 2, "type": "lvm"}},
        {"access": {"is_public": False, "allowed_cidrs": ["10.0.0.0/8", "192.168.1.1"]}},
        {"nics": [{"network_id": NET, "subnet_id": NET, "ip_address": "10.0.0.5"}]},
        {"nics": [{"port-id": NET, "v4-fixed-ip": "10.0.0.5", "v6-fixed-ip": "fe80::1"}]},
        {"nics": []},
        {"replica_count": 1},
        {"configuration": "", "restorePoint": {}, "modules": []},
        {"locality": "soft-anti-affinity"},
        {"unknown": {"anything": [1]}},
        {"region_name": "north"},
        {"tls_mode": "basic"},
        {"name": "数据库"},
    ],
)
def test_accepted(create: Create, more: dict[str, Any]) -> None:
    create(**more)


def test_access_is_told_as_it_was_given(create: Create) -> None:
    access = {"is_public": False, "allowed_cidrs": ["10.0.0.0/8"]}
    assert create(access=access)["access"] == access


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"name": None}, 400),
        ({"name": ""}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "!?"}, 400),
        ({"name": "a\nb"}, 400),
        ({"name": ["m1"]}, 400),
        ({"flavorRef": None}, 400),
        ({"flavorRef": "99"}, 400),
        ({"flavorRef": True}, 400),
        ({"flavorRef": []}, 400),
        ({"flavorRef": ""}, 400),
        ({"flavorRef": 1e300}, 400),
        ({"volume": None}, 400),
        ({"volume": {}}, 400),
        ({"volume": 2}, 400),
        ({"volume": {"size": True}}, 400),
        ({"volume": {"size": 0}}, 400),
        ({"volume": {"size": -1}}, 400),
        ({"volume": {"size": 1.5}}, 400),
        ({"volume": {"size": "two"}}, 400),
        ({"volume": {"size": "²"}}, 400),
        ({"volume": {"size": "9" * 41}}, 400),
        ({"volume": {"size": 1001}}, 413),
        ({"volume": {"size": "9" * 40}}, 413),
        ({"volume": {"size": 2, "type": 5}}, 400),
        ({"datastore": None}, 400),
        ({"datastore": {}}, 400),
        ({"datastore": "postgresql"}, 400),
        ({"datastore": {"type": "oracle"}}, 404),
        ({"datastore": {"type": "postgresql", "version": "9"}}, 400),
        ({"datastore": {"type": "postgresql", "version": "1"}}, 400),
        ({"datastore": {"type": "postgresql", "version": VERSIONS["10.11"]}}, 400),
        ({"datastore": {"type": "postgresql", "version": "15", "version_number": "15.1"}}, 400),
        ({"databases": {"name": "a"}}, 400),
        ({"databases": ["a"]}, 400),
        ({"users": [None]}, 400),
        ({"nics": [{"net-id": NET}, {"net-id": NET}]}, 400),
        ({"nics": [{"net-id": "x"}]}, 400),
        ({"nics": [{"network": NET}]}, 400),
        ({"nics": [{}]}, 400),
        ({"nics": [{"ip_address": "10.0.0.5"}]}, 400),
        ({"nics": [{"net-id": NET, "ip_address": "10.0.0.5"}]}, 400),
        ({"nics": [{"net-id": NET, "v4-fixed-ip": "fe80::1"}]}, 400),
        ({"availability_zone": 3}, 400),
        ({"locality": "near"}, 400),
        ({"access": {"is_public": 1}}, 400),
        ({"access": {"is_private": True}}, 400),
        ({"access": {"allowed_cidrs": ["10.0.0.0/40"]}}, 400),
        ({"access": {"allowed_cidrs": [5]}}, 400),
        ({"access": {"allowed_cidrs": ["10.0.0.1/8", "10.0.0.0/8"]}}, 400),
        ({"replica_count": 2}, 400),
        ({"replica_count": 4}, 400),
        ({"replica_count": True}, 400),
        ({"tls_mode": "sometimes"}, 400),
        ({"replica_of": NET}, 501),
        ({"restorePoint": {"backupRef": NET}}, 404),
        ({"configuration": NET}, 404),
        ({"modules": [{"id": NET}]}, 404),
    ],
)
def test_refused_and_nothing_left(member: As, database: Database, more: dict[str, Any], status: int) -> None:
    code, key, message = member.refused("POST", "/instances", order(**more))
    assert (code, bool(message)) == (status, True)
    assert key == {400: "badRequest", 404: "itemNotFound", 413: "overLimit", 501: "notImplemented"}[status]
    with database.read() as session:
        for table in (Instance, Run, RunStep, Lock, QuotaUse, Command):
            assert session.query(table).count() == 0


@pytest.mark.parametrize(
    ("datastore", "databases", "users"),
    [
        ("postgresql", ["a", "a"], []),
        ("postgresql", ["postgres"], []),
        ("postgresql", ["x" * 64], []),
        ("postgresql", ["../etc"], []),
        ("postgresql", [" a"], []),
        ("postgresql", ["a\\b"], []),
        ("postgresql", [""], []),
        ("mariadb", ["mysql"], []),
        ("mariadb", ["Information_Schema"], []),
        ("mariadb", ["x" * 65], []),
        ("postgresql", [], [{"name": "postgres", "password": "p"}]),
        ("mariadb", [], [{"name": "root", "password": "p"}]),
        ("mariadb", [], [{"name": "os_admin", "password": "p"}]),
        ("mariadb", [], [{"name": "u", "password": "p"}, {"name": "u", "password": "q", "host": "%"}]),
        ("mariadb", [], [{"name": "u"}]),
        ("mariadb", [], [{"password": "p"}]),
        ("mariadb", [], [{"name": "u", "password": ""}]),
        ("mariadb", [], [{"name": "u", "password": " p"}]),
        ("mariadb", [], [{"name": "u", "password": "p", "host": "a b"}]),
        ("mariadb", [], [{"name": "u'", "password": "p"}]),
        ("mariadb", [], [{"name": " u", "password": "p"}]),
        ("mariadb", [], [{"name": "u/v", "password": "p"}]),
        ("mariadb", ["a"], [{"name": "u", "password": "p", "databases": [{"name": "b"}]}]),
        ("mariadb", [], [{"name": "public", "password": "p"}]),
        ("mariadb", [], [{"name": "u", "password": "p'q"}]),
        ("mariadb", [{"name": "a", "character_set": "klingon"}], []),
        ("mariadb", [{"name": "a", "character_set": "utf8", "collate": "latin1_bin"}], []),
        ("mariadb", [{"name": "a", "collate": "klingon_bin"}], []),
        ("mariadb", [{"name": "a", "collate": "x; DROP"}], []),
        ("postgresql", [], [{"name": "pg_u", "password": "p"}]),
        ("postgresql", [], [{"name": "é" * 32, "password": "p"}]),
        ("postgresql", ["é"], []),
        ("redis", [], [{"name": "a b", "password": "p"}]),
    ],
)
def test_names_are_checked_up_front(member: As, datastore: str, databases: list[Any], users: list[Any]) -> None:
    wanted = [each if isinstance(each, dict) else {"name": each} for each in databases]
    body = order(datastore={"type": datastore}, databases=wanted, users=users)
    assert member.refused("POST", "/instances", body)[:2] == (400, "badRequest")


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "a", "character_set": "utf8", "collate": "utf8_general_ci"},
        {"name": "a", "character_set": "utf8", "collate": "utf8mb3_general_ci"},
        {"name": "a", "character_set": "utf8mb4", "collate": "uca1400_ai_ci"},
        {"name": "a", "collate": "latin1_swedish_ci"},
        {"name": "A-b_c d?e"},
        {"name": "x" * 64},
    ],
)
def test_databases_that_mariadb_can_make(create: Create, wanted: dict[str, str]) -> None:
    create(datastore={"type": "mariadb"}, databases=[wanted])


def test_redis_has_no_databases(member: As) -> None:
    body = order(datastore={"type": "redis"}, databases=[{"name": "a"}])
    assert member.refused("POST", "/instances", body)[:2] == (501, "notImplemented")


def test_troves_words(member: As) -> None:
    def message(**more: Any) -> str:
        return member.refused("POST", "/instances", order(**more))[2]

    assert message(volume={}) == "Volume size was not specified."
    assert message(datastore={}) == "Please specify datastore. No default datastore is defined."
    assert message(name=7).startswith("Validation error: instance.name ")
    assert message(volume={"size": 1001}) == "Volume 'size' cannot exceed maximum of 1000 GB, 1001 cannot be accepted."


@pytest.mark.parametrize("body", [None, [], {}, {"instance": None}, {"instance": 1}, {"instances": {}}])
def test_a_body_without_an_instance(member: As, body: object) -> None:
    assert member.refused("POST", "/instances", body)[:2] == (400, "badRequest")


def test_two_of_one_name(create: Create, member: As) -> None:
    create("m1")
    create("m1")
    assert len(member.get("/instances")["instances"]) == 2
