"""Modules, and those of an instance."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from calling import As, Ready, order
from guests import answering

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import InstanceModule, Module
from argosy.settings import Settings
from argosy.testing.waiting import eventually

CONTENTS = base64.b64encode(b"message=hello").decode()
SECRET = base64.b64encode(b"license_key=abc123").decode()
Make = Callable[..., dict[str, Any]]


def body(**more: Any) -> dict[str, Any]:
    return {"module": {"name": "hello", "module_type": "ping", "contents": CONTENTS, **more}}


@pytest.fixture
def make(member: As) -> Make:
    def make(who: As = member, **more: Any) -> dict[str, Any]:
        answer = who("POST", "/modules", body(**more))
        assert answer.status_code == 200, answer.text
        return dict(answer.json["module"])

    return make


@pytest.fixture
def guest(settings: Settings, database: Database, bell: Bell) -> Iterator[list[Mapping[str, Any]]]:
    """What it was given, newest last."""
    given: list[Mapping[str, Any]] = []

    def apply(asked: Mapping[str, Any]) -> dict[str, Any]:
        given.extend(asked["modules"])
        return {"modules": {each["id"]: {"status": "OK", "message": "hello"} for each in asked["modules"]}}

    def listed(_asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"modules": {each["id"]: {"md5": each["md5"], "status": "OK", "message": "here"} for each in given}}

    verbs = {"apply_modules": apply, "remove_module": lambda _asked: {}, "modules": listed}
    with answering(settings, database, bell, verbs):
        yield given


def test_made_shown_listed(member: As, make: Make) -> None:
    made = make(description="says hello", apply_order="7")
    assert made["md5"] == hashlib.md5(CONTENTS.encode(), usedforsecurity=False).hexdigest()
    assert (made["tenant"], made["datastore"], made["datastore_version"]) == ("blue", "all", "all")
    assert (made["apply_order"], made["is_admin"], made["live_update"]) == (7, False, False)
    shown = member.get(f"/modules/{made['id']}")["module"]
    assert shown == {**made, "instance_count": 0}
    (listed,) = member.get("/modules")["modules"]
    assert listed == {key: value for key, value in made.items() if key != "live_update"}


def test_contents_rest_sealed_and_are_never_shown(member: As, make: Make, database: Database) -> None:
    made = make(module_type="new_relic_license", contents=SECRET)
    assert SECRET not in member("GET", f"/modules/{made['id']}").text
    with database.engine.connect() as connection:
        (raw,) = connection.exec_driver_sql("SELECT contents FROM modules").one()
    assert SECRET.encode() not in bytes(raw)
    with database.read() as session:
        assert session.get_one(Module, made["id"]).contents == SECRET


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"module_type": "other"}, 404),
        ({"contents": "not base64!"}, 400),
        ({"contents": ""}, 400),
        ({"name": ""}, 400),
        ({"name": None}, 400),
        ({"apply_order": 10}, 400),
        ({"auto_apply": 1}, 403),
        ({"all_tenants": 1}, 403),
        ({"visible": 0}, 403),
        ({"priority_apply": 1}, 403),
        ({"auto_apply": 2}, 400),
        ({"datastore": {"version": "15.18"}}, 400),
        ({"datastore": {"type": "oracle"}}, 404),
    ],
)
def test_what_is_refused_leaves_nothing(member: As, database: Database, more: Any, status: int) -> None:
    assert member.refused("POST", "/modules", body(**more))[0] == status
    with database.read() as session:
        assert session.query(Module).count() == 0


def test_the_same_name_type_and_datastore_once(member: As, make: Make) -> None:
    make()
    assert member.refused("POST", "/modules", body())[0] == 400
    make(datastore={"type": "postgresql"})


def test_whose_they_are(member: As, stranger: As, admin: As, make: Make) -> None:
    mine, everybodys = make(), make(admin, name="all", all_tenants=1)
    hidden = make(admin, name="hidden", all_tenants=1, visible=0)
    assert {each["id"] for each in stranger.get("/modules")["modules"]} == {everybodys["id"]}
    assert stranger.refused("GET", f"/modules/{mine['id']}")[0] == 404
    assert member.refused("GET", f"/modules/{hidden['id']}")[0] == 404
    assert len(admin.get("/modules")["modules"]) == 3
    for method in ("DELETE", "PUT"):
        assert member.refused(method, f"/modules/{everybodys['id']}", {"module": {}})[0] == 403
    assert everybodys["is_admin"]


def test_changed_and_deleted(member: As, make: Make) -> None:
    made = make(datastore={"type": "postgresql"})
    path = f"/modules/{made['id']}"
    answer = member("PUT", path, {"module": {"contents": SECRET, "all_datastores": 1}})
    assert (answer.status_code, answer.json["module"]["datastore"]) == (200, "all")
    assert answer.json["module"]["md5"] != made["md5"]
    gone = member("DELETE", path)
    assert (gone.status_code, gone.text) == (200, "")
    assert member.refused("GET", path)[0] == 404


def test_applied_listed_removed(member: As, make: Make, ready: Ready, guest: list[Any]) -> None:
    instance, made = ready(), make()
    path = f"/instances/{instance}/modules"
    (applied,) = member("POST", path, {"modules": [{"id": made["id"]}]}).json["modules"]
    assert (applied["status"], applied["message"], applied["current"]) == ("OK", "hello", True)
    assert guest[0]["contents"] == CONTENTS
    assert member.get(path)["modules"] == [applied]
    assert member.get(f"{path}?from_guest=true")["modules"][0]["message"] == "here"
    assert member.refused("DELETE", f"/modules/{made['id']}")[0] == 403
    assert member.refused("PUT", f"/modules/{made['id']}", {"module": {"contents": SECRET}})[0] == 403
    assert [each["id"] for each in member.get(f"/modules/{made['id']}/instances")["instances"]] == [instance]
    (count,) = member.get(f"/modules/{made['id']}/instances?count_only=true")["instances"]
    assert (count["instance_count"], count["current"]) == (1, True)
    assert member("DELETE", f"{path}/{made['id']}").status_code == 200
    assert member.get(path)["modules"] == []
    assert member.refused("DELETE", f"{path}/{made['id']}")[0] == 404


@pytest.mark.usefixtures("guest")
def test_contents_are_shown_where_asked_for_and_an_administrators_never(
    member: As, admin: As, make: Make, ready: Ready
) -> None:
    instance, mine, theirs = ready(), make(), make(admin, name="licence", all_tenants=1, contents=SECRET)
    path = f"/instances/{instance}/modules"
    member("POST", path, {"modules": [{"id": mine["id"]}, {"id": theirs["id"]}]})
    assert all("contents" not in each for each in member.get(path)["modules"])
    shown = {each["id"]: each["contents"] for each in member.get(f"{path}?include_contents=True")["modules"]}
    assert shown[mine["id"]] == CONTENTS
    assert base64.b64decode(shown[theirs["id"]]) == b"Must be admin to retrieve contents."
    assert SECRET not in shown.values()


def test_one_for_another_datastore_is_refused(member: As, admin: As, make: Make, ready: Ready) -> None:
    made = make(datastore={"type": "mariadb"})
    refused = member.refused("POST", f"/instances/{ready()}/modules", {"modules": [{"id": made["id"]}]})
    assert refused[0] == 400
    assert admin.get(f"/modules/{made['id']}")["module"]["instance_count"] == 0


def test_given_at_create(member: As, admin: As, make: Make, database: Database) -> None:
    """Those that were asked for, and those of every instance."""
    asked, always = make(), make(admin, name="always", auto_apply=1, all_tenants=1)
    make(admin, name="elsewhere", auto_apply=1, all_tenants=1, datastore={"type": "mariadb"})
    answer = member("POST", "/instances", order(modules=[{"id": asked["id"]}]))
    with database.read() as session:
        given = {row.module_id for row in session.query(InstanceModule)}
    assert (answer.status_code, given) == (200, {asked["id"], always["id"]})


def test_an_unknown_one_at_create(member: As) -> None:
    assert member.refused("POST", "/instances", order(modules=[{"id": "nowhere"}]))[0] == 404


@pytest.mark.usefixtures("guest")
def test_live_update_and_reapply(member: As, make: Make, ready: Ready, database: Database) -> None:
    made, instance = make(live_update=1), ready()
    member("POST", f"/instances/{instance}/modules", {"modules": [{"id": made["id"]}]})
    changed = member("PUT", f"/modules/{made['id']}", {"module": {"contents": SECRET}}).json["module"]
    assert not member.get(f"/instances/{instance}/modules")["modules"][0]["current"]
    answer = member("PUT", f"/modules/{made['id']}/instances", {"reapply": {"batch_delay": 0}})
    assert (answer.status_code, answer.text) == (202, "")

    def current() -> bool:
        with database.read() as session:
            row = session.get_one(InstanceModule, (instance, made["id"]))
        return row.md5 == changed["md5"] and row.status == "OK"

    eventually(current)
