"""Configuration groups: what may be in them, who sees them, and instances that follow them."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Create, Ready, order
from seeding import VERSIONS

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Configuration, Event, Instance, Run
from argosy.workflows import overrides

NOWHERE = "99999999-9999-4999-8999-999999999999"


def body(**more: Any) -> dict[str, Any]:
    plain = {"name": "group", "values": {"work_mem": 8192}, "datastore": {"type": "postgresql", "version": "15"}}
    return {"configuration": {**plain, **more}}


@pytest.fixture(autouse=True)
def nobody_waits(bell: Bell) -> None:
    """For servers that are not there."""
    bell.close()


@pytest.fixture
def group(member: As) -> dict[str, Any]:
    answer = member("POST", "/configurations", body(description="for tests"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json["configuration"])


def runs(database: Database) -> list[str]:
    with database.read() as session:
        rows = session.query(Run).filter_by(workflow="configure_instance").order_by(Run.created)
        return [row.memory["doing"] for row in rows]


def task(database: Database, instance_id: str) -> str:
    with database.read() as session:
        return session.get_one(Instance, instance_id).task


def test_create_tells_everything(group: dict[str, Any]) -> None:
    assert group == {
        **group,
        "name": "group",
        "description": "for tests",
        "values": {"work_mem": 8192},
        "datastore_version_id": VERSIONS["15"],
        "datastore_name": "postgresql",
        "datastore_version_name": "15",
        "datastore_version_number": "15.18",
        "instance_count": 0,
    }
    assert not group["created"].endswith("Z")


def test_show_and_list(member: As, group: dict[str, Any]) -> None:
    assert member.get(f"/configurations/{group['id']}") == {"configuration": group}
    (listed,) = member.get("/configurations")["configurations"]
    assert listed.keys() == group.keys() - {"values", "instance_count", "datastore_version_number"}


def test_pages(member: As) -> None:
    made = {member("POST", "/configurations", body(name=f"g{i}")).json["configuration"]["id"] for i in range(3)}
    first = member.get("/configurations?limit=2")
    last = member.get(f"/configurations?limit=2&marker={first['configurations'][-1]['id']}")
    assert first["links"] == first["configurations_links"]
    assert "links" not in last
    assert {each["id"] for each in (*first["configurations"], *last["configurations"])} == made


def test_names_are_matched_whatever_their_case(member: As) -> None:
    answer = member("POST", "/configurations", body(values={"WORK_mem": 8192, "Wal_Level": "LOGICAL"}))
    assert answer.json["configuration"]["values"] == {"work_mem": 8192, "wal_level": "logical"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"port": 1}, "port"),
        ({"ssl": False}, "ssl"),
        ({"shared_preload_libraries": "evil"}, "shared_preload"),
        ({"work_mem": "8192"}, "an integer"),
        ({"work_mem": 81.5}, "an integer"),
        ({"work_mem": True}, "an integer"),
        ({"work_mem": None}, "an integer"),
        ({"work_mem": [1]}, "an integer"),
        ({"work_mem": 63}, "at least 64"),
        ({"work_mem": 2**31}, "at most 2147483647"),
        ({"autovacuum": 1}, "true or false"),
        ({"autovacuum": "on"}, "true or false"),
        ({"random_page_cost": "4"}, "a number"),
        ({"wal_level": "minimal"}, "replica, logical"),
        ({"timezone": "UTC\nport = 1"}, "control characters"),
        ({"timezone": "ü" * 501}, "longer than 1000 bytes"),
        ({"transaction_timeout": 1}, "transaction_timeout"),
    ],
)
def test_values_that_are_none(member: As, values: dict[str, Any], words: str) -> None:
    status, key, message = member.refused("POST", "/configurations", body(values=values))
    assert (status, key) == (422, "unprocessableEntity")
    assert words in message
    assert member.get("/configurations")["configurations"] == []


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_xml_knows_numbers_that_are_none(member: As, number: str) -> None:
    asked = (
        '<configuration name="g"><datastore type="postgresql" version="15"/>'
        f"<values><random_page_cost>{number}</random_page_cost></values></configuration>"
    )
    answer = member("POST", "/configurations", asked.encode(), headers={"Content-Type": "application/xml"})
    assert answer.status_code == 422, answer.text
    assert member.get("/configurations")["configurations"] == []


def test_what_a_later_version_has(member: As) -> None:
    later = body(values={"transaction_timeout": 5}, datastore={"type": "postgresql", "version": "17"})
    assert member("POST", "/configurations", later).status_code == 200


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"name": ""}, 400),
        ({"name": None}, 400),
        ({"values": None}, 400),
        ({"values": []}, 400),
        ({"values": {"work_mem": 64, "WORK_MEM": 65}}, 400),
        ({"datastore": {"type": "nothing"}}, 404),
        ({"datastore": {"type": "postgresql", "version": "3"}}, 400),
        ({"description": 7}, 400),
    ],
)
def test_requests_that_are_none(member: As, more: dict[str, Any], status: int) -> None:
    assert member.refused("POST", "/configurations", body(**more))[0] == status


def test_empty_values_are_a_group_too(member: As) -> None:
    assert member("POST", "/configurations", body(values={})).json["configuration"]["values"] == {}


def test_of_another_project_nothing_is_seen(stranger: As, admin: As, group: dict[str, Any]) -> None:
    where = f"/configurations/{group['id']}"
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        change = {"configuration": {}} if method in ("PUT", "PATCH") else None
        assert stranger.refused(method, where, change)[:2] == (404, "itemNotFound")
    assert stranger.refused("GET", f"{where}/instances")[0] == 404
    assert stranger.get("/configurations")["configurations"] == []
    assert [each["id"] for each in admin.get("/configurations")["configurations"]] == [group["id"]]
    assert admin.get(where)["configuration"]["id"] == group["id"]


@pytest.mark.parametrize("name", ["group", "no such", NOWHERE])
def test_a_name_is_no_id(member: As, group: dict[str, Any], name: str) -> None:
    assert group["name"] == "group"
    assert member.refused("GET", f"/configurations/{name}")[0] == 404


def test_patch_merges_and_put_replaces(member: As, group: dict[str, Any]) -> None:
    where = f"/configurations/{group['id']}"
    patched = member("PATCH", where, {"configuration": {"values": {"jit": False}}})
    assert (patched.status_code, patched.content) == (200, b"")
    assert member.get(where)["configuration"]["values"] == {"jit": False, "work_mem": 8192}
    put = member("PUT", where, {"configuration": {"name": "new", "description": "d", "values": {"geqo": True}}})
    assert (put.status_code, put.content) == (202, b"")
    seen = member.get(where)["configuration"]
    assert (seen["name"], seen["description"], seen["values"]) == ("new", "d", {"geqo": True})


def test_a_change_that_is_refused_changes_nothing(member: As, group: dict[str, Any]) -> None:
    where = f"/configurations/{group['id']}"
    change = {"configuration": {"name": "new", "values": {"work_mem": 1}}}
    assert member.refused("PUT", where, change)[0] == 422
    assert member.get(where)["configuration"] == group


def test_values_that_look_like_passwords_are_masked(member: As, database: Database, group: dict[str, Any]) -> None:
    with database.write() as session:
        session.get_one(Configuration, group["id"]).settings = {"ldap_password": "hunter2", "work_mem": 64}
    assert member.get(f"/configurations/{group['id']}")["configuration"]["values"]["ldap_password"] == "***"


def test_attach_and_detach(ready: Ready, member: As, database: Database, group: dict[str, Any]) -> None:
    instance_id = ready()
    answer = member("PUT", f"/instances/{instance_id}", {"instance": {"configuration": group["id"]}})
    assert (answer.status_code, answer.content) == (202, b"")
    told = member.get(f"/instances/{instance_id}")["instance"]
    assert told["configuration"]["id"] == group["id"]
    assert told["configuration"]["name"] == "group"
    assert told["status"] == "ACTIVE"
    where = f"/configurations/{group['id']}"
    assert member.get(f"{where}/instances") == {"instances": [{"id": instance_id, "name": "m1"}]}
    assert member.get(where)["configuration"]["instance_count"] == 1
    assert member("PUT", f"/instances/{instance_id}", {"instance": {}}).status_code == 202
    assert "configuration" not in member.get(f"/instances/{instance_id}")["instance"]
    assert runs(database) == ["instance_attach_configuration", "instance_detach_configuration"]


def test_back_to_back_as_terraform_does(ready: Ready, member: As, database: Database, group: dict[str, Any]) -> None:
    where, attach = f"/instances/{ready()}", {"instance": {"configuration": group["id"]}}
    for change in (attach, {"instance": {}}, attach, {"instance": {"configuration": None}}, attach):
        assert member("PUT", where, change).status_code == 202
    assert len(runs(database)) == 5


def test_a_restart_that_is_needed_is_told_before_the_answer(
    ready: Ready, member: As, database: Database, group: dict[str, Any]
) -> None:
    instance_id = ready()
    member("PUT", f"/instances/{instance_id}", {"instance": {"configuration": group["id"]}})
    assert task(database, instance_id) == "NONE"
    member("PATCH", f"/configurations/{group['id']}", {"configuration": {"values": {"max_connections": 50}}})
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "RESTART_REQUIRED"


def test_every_instance_of_a_group_follows_it(
    ready: Ready, member: As, database: Database, group: dict[str, Any]
) -> None:
    for number in (1, 2):
        where = f"/instances/{ready(f'm{number}', f'127.9.0.{number}')}"
        assert member("PUT", where, {"instance": {"configuration": group["id"]}}).status_code == 202
    member("PUT", f"/configurations/{group['id']}", {"configuration": {"values": {"jit": True}}})
    assert runs(database).count("instance_configure") == 2


def test_a_group_that_is_attached_stays(ready: Ready, member: As, group: dict[str, Any]) -> None:
    instance_id = ready()
    member("PUT", f"/instances/{instance_id}", {"instance": {"configuration": group["id"]}})
    assert member.refused("DELETE", f"/configurations/{group['id']}")[:2] == (400, "badRequest")
    member("PUT", f"/instances/{instance_id}", {"instance": {}})
    assert member("DELETE", f"/configurations/{group['id']}").status_code == 202
    assert member.refused("GET", f"/configurations/{group['id']}")[0] == 404


def test_what_cannot_be_attached(ready: Ready, member: As, stranger: As, group: dict[str, Any]) -> None:
    where = f"/instances/{ready()}"
    foreign = stranger("POST", "/configurations", body()).json["configuration"]["id"]
    later = member("POST", "/configurations", body(datastore={"type": "postgresql", "version": "17"}))
    for configuration, status in ((NOWHERE, 404), ("group", 404), (foreign, 404), (5, 400)):
        assert member.refused("PUT", where, {"instance": {"configuration": configuration}})[0] == status
    other = {"instance": {"configuration": later.json["configuration"]["id"]}}
    assert member.refused("PUT", where, other)[:2] == (400, "badRequest")
    attach = {"instance": {"configuration": group["id"]}}
    assert member("PATCH", where, attach).status_code == 202
    assert member.refused("PUT", where, attach)[:2] == (400, "badRequest")


def test_while_building(create: Create, member: As, group: dict[str, Any]) -> None:
    where = f"/instances/{create()['id']}"
    assert member.refused("PUT", where, {"instance": {"configuration": group["id"]}})[0] == 400
    assert member("PUT", where, {"instance": {}}).status_code == 202


def test_more_memory_than_the_flavor_has(ready: Ready, member: As, database: Database, group: dict[str, Any]) -> None:
    instance_id = ready()
    with database.read() as session:
        ram = session.get_one(Instance, instance_id).ram
    where, attach = f"/configurations/{group['id']}", {"instance": {"configuration": group["id"]}}
    huge = {"configuration": {"values": {"shared_buffers": ram * 1024 // 8}}}
    assert member("PATCH", where, huge).status_code == 200
    status, _, message = member.refused("PUT", f"/instances/{instance_id}", attach)
    assert status == 422
    assert "shared_buffers" in message
    assert f"{ram} MiB" in message
    assert member("PUT", where, {"configuration": {"values": {}}}).status_code == 202
    assert member("PUT", f"/instances/{instance_id}", attach).status_code == 202
    assert member.refused("PATCH", where, huge)[0] == 422


@pytest.mark.parametrize("form", ["{}", "https://host/v1.0/blue/configurations/{}"])
def test_create_with_a_configuration(
    create: Create, member: As, database: Database, group: dict[str, Any], form: str
) -> None:
    datastore = {"type": "postgresql", "version": "15"}
    made = create(configuration=form.format(group["id"]), datastore=datastore)
    assert made["configuration"]["id"] == group["id"]
    with database.read() as session:
        instance = session.get_one(Instance, made["id"])
        assert overrides.effective(session, instance) == {"work_mem": 8192}
    other = order(configuration=group["id"], datastore={"type": "mariadb"})
    assert member.refused("POST", "/instances", other)[:2] == (400, "badRequest")


def test_what_an_instance_has_without_one(ready: Ready, member: As) -> None:
    told = member.get(f"/instances/{ready()}/configuration")["instance"]["configuration"]
    assert all(isinstance(value, str) for value in told.values())
    assert told["deadlock_timeout"] == "1000"
    assert int(told["shared_buffers"].removesuffix("kB")) > 1024


def test_every_change_is_told(ready: Ready, member: As, database: Database, group: dict[str, Any]) -> None:
    where = f"/configurations/{group['id']}"
    instance_id = ready()
    member("PUT", f"/instances/{instance_id}", {"instance": {"configuration": group["id"]}})
    member("PATCH", where, {"configuration": {"values": {}}})
    member("PUT", where, {"configuration": {"values": {}}})
    member("PUT", f"/instances/{instance_id}", {"instance": {}})
    member("DELETE", where)
    with database.read() as session:
        told = [each.kind for each in session.query(Event).order_by(Event.seq) if "configur" in each.kind]
    assert told == [
        "dbaas.configuration_create",
        "dbaas.instance_attach_configuration.start",
        "dbaas.instance_configure.start",
        "dbaas.configuration_edit",
        "dbaas.instance_configure.start",
        "dbaas.configuration_update",
        "dbaas.instance_detach_configuration.start",
        "dbaas.configuration_delete",
    ]


def test_create_with_more_than_the_flavor_has(member: As, group: dict[str, Any]) -> None:
    huge = {"configuration": {"values": {"work_mem": 2**31 - 1}}}
    assert member("PATCH", f"/configurations/{group['id']}", huge).status_code == 200
    body = order(configuration=group["id"], datastore={"type": "postgresql", "version": "15"})
    status, _, message = member.refused("POST", "/instances", body)
    assert (status, "work_mem" in message) == (422, True)
    assert member.get("/instances")["instances"] == []


def test_after_an_upgrade_a_group_must_be_right_for_both_versions(
    ready: Ready, member: As, database: Database, group: dict[str, Any]
) -> None:
    """`old_snapshot_threshold` went with PostgreSQL 17: the group's own version alone would take it."""
    where, instance_id = f"/configurations/{group['id']}", ready()
    attach = {"instance": {"configuration": group["id"]}}
    assert member("PUT", f"/instances/{instance_id}", attach).status_code == 202
    with database.write() as session:
        session.get_one(Instance, instance_id).version_id = VERSIONS["17"]
    for method in ("PATCH", "PUT"):
        gone = {"configuration": {"values": {"old_snapshot_threshold": 60}}}
        status, _, message = member.refused(method, where, gone)
        assert status == 422
        assert f"instance {instance_id} is of version 17: old_snapshot_threshold" in message
    assert member.get(where)["configuration"]["values"] == {"work_mem": 8192}
    assert member("PATCH", where, {"configuration": {"values": {"work_mem": 4096}}}).status_code == 200
    assert member("PUT", f"/instances/{instance_id}", {"instance": {}}).status_code == 202
    status, _, message = member.refused("PUT", f"/instances/{instance_id}", attach)
    assert (status, "make one for postgresql 17" in message) == (400, True)
