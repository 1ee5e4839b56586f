"""What operators offer: datastore versions, and the menu of flavors of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from calling import As, order
from sqlalchemy import delete, select

from argosy.db.session import Database
from argosy.db.tables import Backup, Datastore, DatastoreVersion, Event
from argosy.engines.base import Capability, Found
from argosy.testing.fakes import Cloud, FakeProvider
from argosy.workflows import offers

PATH = "/mgmt/datastore-versions"
IMAGE = "99999999-0000-4000-8000-000000000001"
Builds = Mapping[str, Sequence[Found]]
Look = Callable[[Builds], None]


def build(number: str) -> Found:
    return Found(number, Path("/nowhere"), frozenset({Capability.TLS}), "a note")


BUILDS: Builds = {"postgresql": [build("15.18"), build("17.10")], "mysql": [build("10.11.19")]}


@pytest.fixture
def look(database: Database) -> Look:
    """The provider looks around, and has found BUILDS already; what was seeded is gone."""

    def look(builds: Builds) -> None:
        with database.write() as session:
            offers.write_down(session, FakeProvider(Cloud()), builds)

    with database.write() as session:
        session.execute(delete(DatastoreVersion))
        session.execute(delete(Datastore))
    look(BUILDS)
    return look


def managed(who: As) -> dict[str, dict[str, Any]]:
    """By datastore and name."""
    seen = who.get(PATH)["versions"]
    return {f"{each['datastore_name']} {each['name']}": each for each in seen}


def register(who: As, **more: Any) -> tuple[int, str]:
    """The status, and the message of a refusal. A keyword of None leaves that key out."""
    plain = {"name": "stable", "datastore_name": "postgresql", "datastore_manager": "postgresql", "version": "15.18"}
    sent = {**plain, "active": True, "image": IMAGE, **more}
    body = {"version": {name: value for name, value in sent.items() if value is not None}}
    answer = who("POST", PATH, body)
    return answer.status_code, answer.json["badRequest"]["message"] if answer.content else ""


def change(who: As, which: str, **changes: Any) -> tuple[int, str]:
    answer = who("PATCH", f"{PATH}/{managed(who)[which]['id']}", changes)
    return answer.status_code, answer.json["badRequest"]["message"] if answer.content else ""


def offered(who: As, datastore: str = "postgresql") -> list[str]:
    return [each["name"] for each in who.get(f"/datastores/{datastore}/versions")["versions"]]


@pytest.mark.usefixtures("look")
def test_what_was_found(admin: As) -> None:
    seen = managed(admin)
    assert list(seen)[-2:] == ["postgresql 15.18", "postgresql 17.10"]
    version = seen["postgresql 17.10"]
    assert version == {
        "id": version["id"],
        "name": "17.10",
        "version": "17.10",
        "datastore_id": version["datastore_id"],
        "datastore_name": "postgresql",
        "datastore_manager": "postgresql",
        "image": None,
        "image_tags": [],
        "packages": [],
        "active": True,
        "registry_ext": None,
        "repl_strategy": None,
        "backup_strategy": None,
        "default": True,
        "capabilities": ["tls"],
    }
    assert admin.get(f"{PATH}/{version['id']}")["version"] == version
    assert admin.refused("GET", f"{PATH}/{IMAGE}")[0] == 400


def test_withdrawn_stays_withdrawn(look: Look, admin: As, member: As) -> None:
    assert change(admin, "postgresql 17.10", active=False) == (202, "")
    look(BUILDS)
    assert offered(member) == ["15.18"]
    assert (
        member.get("/datastores/postgresql")["datastore"]["default_version"] == managed(admin)["postgresql 15.18"]["id"]
    )
    assert change(admin, "postgresql 17.10", active=True) == (202, "")
    assert offered(member) == ["15.18", "17.10"]


def test_registered_stays_registered(look: Look, admin: As, member: As) -> None:
    told = {"image_tags": ["a", "b"], "packages": ["p", "q"], "registry_ext": "r", "repl_strategy": "s"}
    assert register(admin, default=True, **told) == (202, "")
    look(BUILDS)
    version = managed(admin)["postgresql stable"]
    assert {name: version[name] for name in told} == told
    assert (version["version"], version["default"], version["capabilities"], version["image"]) == (
        "15.18",
        True,
        ["tls"],
        IMAGE,
    )
    shown = admin.get(f"/datastores/versions/{version['id']}")["version"]
    assert (shown["packages"], shown["image_tags"], shown["note"]) == ("p,q", ["a", "b"], "a note")
    made = member("POST", "/instances", order(datastore={"type": "postgresql"}, name="m")).json["instance"]
    assert made["datastore"] == {"type": "postgresql", "version": "stable", "version_number": "15.18"}


def test_a_build_that_is_gone_is_not_offered(look: Look, admin: As, member: As) -> None:
    register(admin)
    look({"postgresql": [build("17.10")]})
    assert offered(member) == ["17.10"]
    assert managed(admin)["postgresql stable"]["active"] is False
    look(BUILDS)
    assert offered(member) == ["15.18", "stable", "17.10"]


def test_what_is_found_later_under_a_registered_name(look: Look, admin: As) -> None:
    assert register(admin, name="18.1", version="18.1", active=False) == (202, "")
    look({"postgresql": [build("18.1")]})
    assert managed(admin)["postgresql 18.1"]["active"] is False
    assert change(admin, "postgresql 18.1", active=True) == (202, "")


def test_a_new_name_stays(look: Look, admin: As, member: As) -> None:
    assert change(admin, "postgresql 15.18", name="old") == (202, "")
    assert change(admin, "postgresql old", name="17.10")[0] == 400
    look(BUILDS)
    assert offered(member) == ["old", "17.10"]


@pytest.mark.usefixtures("look")
def test_a_datastore_is_made_on_the_fly(admin: As, member: As) -> None:
    assert register(admin, datastore_name="legacy", datastore_manager="mariadb", version="10.11.19") == (202, "")
    assert offered(member, "legacy") == ["stable"]
    version = managed(admin)["legacy stable"]
    assert (version["datastore_manager"], version["default"]) == ("mariadb", True)
    assert admin.refused("DELETE", "/datastores/legacy")[0] == 400
    assert admin("DELETE", f"{PATH}/{version['id']}").status_code == 202
    assert member.refused("DELETE", "/datastores/legacy")[:2] == (403, "forbidden")
    assert admin("DELETE", "/datastores/legacy").status_code == 202
    assert admin.refused("GET", "/datastores/legacy")[0] == 404


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": None}, "name is a required property"),
        ({"datastore_manager": "oracle"}, "'oracle' is not known"),
        ({"datastore_manager": "mysql"}, "is run by postgresql, not by mysql"),
        ({"version": "14.1"}, "no build of postgresql 14.1 is on this machine"),
        ({"version": "14.1", "active": False, "image": None}, "Image or image tags are required"),
        ({"image": "ubuntu"}, "image must be a uuid"),
        ({"image_tags": list("abcdef")}, "image_tags must not be more than 5"),
        ({"image_tags": ["a" * 21]}, "strings of 1 to 20 characters"),
        ({"version": "14.1", "active": False, "default": True}, "it cannot be the default"),
        ({"name": "15.18"}, "exists already"),
        ({"colour": "red"}, "colour is not a known property"),
    ],
)
def test_what_cannot_be_registered(admin: As, more: dict[str, Any], message: str) -> None:
    before = managed(admin)
    status, told = register(admin, **more)
    assert status == 400
    assert message in told
    assert managed(admin) == before


@pytest.mark.usefixtures("look")
def test_what_cannot_be_changed(admin: As) -> None:
    assert "must be one of postgresql" in change(admin, "postgresql 15.18", datastore_manager="mysql")[1]
    assert change(admin, "postgresql 15.18", version="9")[0] == 400
    assert change(admin, "postgresql 15.18", packages="p")[0] == 400


def test_what_is_used_or_found_is_not_deleted(look: Look, admin: As, member: As, database: Database) -> None:
    register(admin)
    version = f"{PATH}/{managed(admin)['postgresql stable']['id']}"
    member("POST", "/instances", order(datastore={"type": "postgresql", "version": "stable"}))
    assert "is used by 1 instance" in admin.refused("DELETE", version)[2]
    found = managed(admin)["postgresql 17.10"]["id"]
    assert "withdraw it by active=false" in admin.refused("DELETE", f"{PATH}/{found}")[2]
    with database.write() as session:
        facts = {"project_id": "blue", "name": "b", "instance_id": IMAGE, "state": "COMPLETED"}
        session.add(Backup(id=IMAGE, version_id=found, created=0, updated=0, **facts))
    look({})
    assert "is used by 1 backup" in admin.refused("DELETE", f"{PATH}/{found}")[2]
    unused = managed(admin)["postgresql 15.18"]["id"]
    assert admin("DELETE", f"{PATH}/{unused}").status_code == 202
    assert "postgresql 15.18" not in managed(admin)


@pytest.mark.usefixtures("look")
def test_a_default_may_be_taken_back(admin: As) -> None:
    assert change(admin, "postgresql 15.18", default=True) == (202, "")
    assert change(admin, "postgresql 15.18", default=False) == (202, "")
    assert not any(each["default"] for name, each in managed(admin).items() if name.startswith("postgresql"))


@pytest.mark.usefixtures("look")
def test_the_menu(admin: As, member: As) -> None:
    version = managed(admin)["postgresql 17.10"]["id"]
    assert admin.get(f"{PATH}/{version}/flavors") == {"flavors": []}
    assert admin.refused("GET", f"{PATH}/{IMAGE}/flavors")[0] == 400
    answer = admin("PUT", f"{PATH}/{version}/flavors", {"flavors": [3, "2", "2"]})
    assert (answer.status_code, answer.json) == (200, {"flavors": ["2", "3"]})
    assert admin.get(f"{PATH}/{version}/flavors") == answer.json
    told = member.get("/datastores/postgresql/versions/17.10/flavors")["flavors"]
    assert [each["str_id"] for each in told] == ["2", "3"]
    assert len(member.get("/datastores/postgresql/versions/15.18/flavors")["flavors"]) == 7
    newest = {"type": "postgresql", "version": "17.10"}
    assert member("POST", "/instances", order(datastore=newest, flavorRef="3")).status_code == 200
    refused = member.refused("POST", "/instances", order(datastore=newest, flavorRef="1"))
    assert refused == (400, "badRequest", "flavor 1 is not offered with version 17.10: choose one of 2, 3")
    for wrong in ({}, {"flavors": ["tiny"]}, {"flavors": "2"}):
        assert admin.refused("PUT", f"{PATH}/{version}/flavors", wrong)[0] == 400
    assert admin("PUT", f"{PATH}/{version}/flavors", {"flavors": []}).json == {"flavors": []}
    assert member("POST", "/instances", order(datastore=newest, flavorRef="1")).status_code == 200


@pytest.mark.usefixtures("look")
def test_every_change_is_told(admin: As, database: Database) -> None:
    register(admin)
    change(admin, "postgresql stable", active=False)
    version = managed(admin)["postgresql stable"]["id"]
    admin("PUT", f"{PATH}/{version}/flavors", {"flavors": ["2"]})
    admin("DELETE", f"{PATH}/{version}")
    with database.read() as session:
        kinds = session.scalars(select(Event.kind).where(Event.subject == version).order_by(Event.seq)).all()
    assert [kind.removeprefix("dbaas.datastore_version_") for kind in kinds] == [
        "create",
        "update",
        "flavors",
        "delete",
    ]


def test_volume_types(member: As) -> None:
    (only,) = member.get("/volume-types")["volume_types"]
    assert only == {"id": "local", "name": "local", "is_public": True, "description": "volumes of the provider local"}
    assert member.get("/volume-types/local")["volume_type"] == only
    assert member.get("/datastores/postgresql/versions/15/volume-types")["volume_types"] == [only]
    assert member.refused("GET", "/volume-types/ssd")[0] == 404
    assert member.refused("GET", "/datastores/postgresql/versions/9/volume-types")[0] == 400
