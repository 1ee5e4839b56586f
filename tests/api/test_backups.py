"""Backups as they are listed, and where they go."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Ready
from seeding import POSTGRESQL, VERSIONS
from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Backup, DatastoreVersion, Event

NOW = 1_800_000_000.0
INSTANCE = "aaaaaaaa-0000-4000-8000-000000000001"


def keep(database: Database, number: int, project: str = "blue", **more: Any) -> str:
    """A backup that is the newer the higher its number."""
    backup_id = f"bbbbbbbb-0000-4000-8000-{number:012}"
    facts = {"instance_id": INSTANCE, "version_id": VERSIONS["15"], "state": "COMPLETED", "size": 0.5, **more}
    with database.write() as session:
        session.add(
            Backup(id=backup_id, project_id=project, name=f"b{number}", created=NOW, updated=NOW + number, **facts)
        )
    return backup_id


def names(who: As, query: str = "") -> list[str]:
    return [each["name"] for each in who.get(f"/backups{query}")["backups"]]


def test_one_backup(database: Database, member: As, stranger: As, admin: As) -> None:
    backup_id = keep(database, 1, description="d", parent_id=INSTANCE, location="http://h/c/o", fault=None)
    seen = member.get(f"/backups/{backup_id}")["backup"]
    assert seen == {
        "id": backup_id,
        "name": "b1",
        "description": "d",
        "instance_id": INSTANCE,
        "locationRef": "http://h/c/o",
        "created": "2027-01-15T08:00:00",
        "updated": "2027-01-15T08:00:01",
        "size": 0.5,
        "status": "COMPLETED",
        "parent_id": INSTANCE,
        "project_id": "blue",
        "datastore": {"type": "postgresql", "version": "15", "version_id": VERSIONS["15"]},
        "storage_driver": "swift",
        "strategy": "",
        "purpose": "manual",
        "schedule_id": None,
        "volume_size": 0,
        "bytes": {"raw": 0, "stored": 0},
        "moment": None,
        "finished": None,
        "proof": {"state": "unproven", "checked": None, "seconds": None},
        "deletion_protection": False,
        "region": None,
        "outlives_disk": True,
        "held_until": None,
    }
    assert admin.get(f"/backups/{backup_id}")["backup"] == seen
    assert stranger.refused("GET", f"/backups/{backup_id}")[:2] == (404, "itemNotFound")
    assert member.refused("GET", "/backups/b1")[0] == 404


def test_the_newest_first_and_by_filters(database: Database, member: As) -> None:
    keep(database, 1)
    keep(database, 2, version_id=VERSIONS["10.11"])
    keep(database, 3, instance_id="other", version_id="gone")
    keep(database, 4, "green")
    assert names(member) == ["b3", "b2", "b1"]
    assert names(member, "?datastore=mariadb") == ["b2"]
    assert names(member, f"?instance_id={INSTANCE}") == ["b2", "b1"]
    gone = member.get("/backups")["backups"][0]
    assert gone["datastore"] == {"type": None, "version": None, "version_id": "gone"}


def test_other_projects_are_for_administrators(database: Database, member: As, admin: As) -> None:
    keep(database, 1)
    keep(database, 2, "green")
    assert names(admin) == []
    assert names(admin, "?all_projects=True") == ["b2", "b1"]
    assert names(admin, "?project_id=green") == ["b2"]
    for query in ("all_projects=True", "all_projects=false", "project_id=blue"):
        assert member.refused("GET", f"/backups?{query}")[:2] == (403, "forbidden")


def test_pages_are_counted(database: Database, member: As) -> None:
    for number in range(5):
        keep(database, number)
    first = member.get("/backups?limit=2&datastore=postgresql")
    assert [each["name"] for each in first["backups"]] == ["b4", "b3"]
    (link,) = first["links"]
    assert link["href"].endswith("/v1.0/blue/backups?limit=2&datastore=postgresql&marker=2")
    assert first["backups_links"] == first["links"]
    assert names(member, "?limit=2&marker=4") == ["b0"]
    assert "links" not in member.get("/backups?limit=2&marker=4")
    assert member.refused("GET", "/backups?marker=x")[0] == 400


def test_backups_of_an_instance(ready: Ready, database: Database, member: As, stranger: As) -> None:
    instance_id = ready()
    keep(database, 1, instance_id=instance_id)
    keep(database, 2)
    keep(database, 3, instance_id=instance_id)
    of_instance = f"/instances/{instance_id}/backups"
    assert [each["name"] for each in member.get(of_instance)["backups"]] == ["b3", "b1"]
    (link,) = member.get(f"{of_instance}?limit=1")["links"]
    assert link["href"].endswith(f"{of_instance}?limit=1&marker=1")
    assert member.refused("GET", f"{of_instance}?limit=x")[0] == 400
    assert stranger.refused("GET", f"/instances/{instance_id}/backups")[0] == 404


def test_strategies(ready: Ready, database: Database, member: As) -> None:
    instance_id = ready()
    of_project = {"project_id": "blue", "instance_id": "", "backend": "swift", "swift_container": "all"}
    of_instance = {**of_project, "instance_id": instance_id, "swift_container": "one"}
    sent = {"swift_container": "all", "instance_id": ""}
    answer = member("POST", "/backup_strategies", {"backup_strategy": sent})
    assert (answer.status_code, answer.json) == (202, {"backup_strategy": of_project})
    for container in ("first", "one"):
        wanted = {"swift_container": container, "instance_id": instance_id}
        answer = member("POST", "/backup_strategies", {"backup_strategy": wanted})
    assert answer.json == {"backup_strategy": of_instance}
    assert member.get("/backup_strategies")["backup_strategies"] == [of_project, of_instance]
    assert member.get(f"/backup_strategies?instance_id={instance_id}")["backup_strategies"] == [of_instance]
    for _ in range(2):
        assert member("DELETE", f"/backup_strategies?instance_id={instance_id}").status_code == 202
    assert member.get("/backup_strategies")["backup_strategies"] == [of_project]
    assert member("DELETE", "/backup_strategies").status_code == 202
    assert member.get("/backup_strategies")["backup_strategies"] == []
    with database.read() as session:
        told = session.scalars(select(Event.kind).where(Event.kind.contains("strategy")).order_by(Event.seq)).all()
    assert [kind.rpartition("_")[2] for kind in told] == ["create", "create", "create", "delete", "delete"]


def test_strategies_of_other_projects(member: As, admin: As) -> None:
    member("POST", "/backup_strategies", {"backup_strategy": {"swift_container": "all"}})
    assert member.refused("GET", "/backup_strategies?project_id=green")[:2] == (403, "forbidden")
    assert member.refused("DELETE", "/backup_strategies?project_id=green")[:2] == (403, "forbidden")
    assert len(admin.get("/backup_strategies?project_id=blue")["backup_strategies"]) == 1


@pytest.mark.parametrize(
    ("strategy", "status"),
    [
        ({}, 400),
        ({"swift_container": "a b"}, 400),
        ({"swift_container": "a/b"}, 400),
        ({"swift_container": "a", "name": "n"}, 400),
        ({"swift_container": "a", "instance_id": INSTANCE}, 404),
        ({"swift_container": "a", "instance_id": "m1"}, 404),
    ],
)
def test_strategies_that_cannot_be(member: As, strategy: dict[str, str], status: int) -> None:
    assert member.refused("POST", "/backup_strategies", {"backup_strategy": strategy})[0] == status
    assert member.get("/backup_strategies")["backup_strategies"] == []


def test_there_are_no_clusters(member: As, admin: As) -> None:
    assert member.get("/clusters?include_clustered=true") == admin.get("/mgmt/clusters") == {"clusters": []}
    wanted = {"cluster": {"name": "c", "datastore": {"type": "redis", "version": "7.0"}, "instances": []}}
    assert member.refused("POST", "/clusters", wanted) == (
        501,
        "notImplemented",
        "Clusters are not supported by redis.",
    )
    for method, path, body in (
        ("GET", "/clusters/c1", None),
        ("DELETE", "/clusters/c1", None),
        ("POST", "/clusters/c1", {"restart": {}}),
        ("GET", "/clusters/c1/root", None),
        ("POST", "/clusters/c1/root", None),
        ("GET", "/clusters/c1/instances/i1", None),
    ):
        assert member.refused(method, path, body) == (404, "itemNotFound", "Cluster c1 cannot be found.")


def test_a_snapshot_does_not_outlive_the_disk(database: Database, member: As) -> None:
    backup_id = keep(database, 1, storage_driver="cinder", location="cinder://s1")
    seen = member.get(f"/backups/{backup_id}")["backup"]
    assert (seen["locationRef"], seen["outlives_disk"]) == ("cinder://s1", False)


@pytest.mark.parametrize("version", ["15-bare", "17"])
def test_a_refused_version_names_those_that_take_it(
    database: Database, member: As, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none that would refuse it too: a server without the programs that restore one."""
    monkeypatch.setattr("argosy.workflows.restoring.examine", lambda *_: ())
    with database.write() as session:
        bare = DatastoreVersion(id="bare", datastore_id=POSTGRESQL, name="15-bare", number="15.20")
        bare.capabilities = ["accounts"]
        session.add(bare)
    told = {"restorePoint": {"backupRef": keep(database, 1)}, "datastore": {"type": "postgresql", "version": version}}
    wanted = {"instance": {"name": "new", "flavorRef": "1", "volume": {"size": 2}, **told}}
    _, _, words = member.refused("POST", "/instances", wanted)
    assert "restore it into postgresql 15" in words
    assert "15-bare" not in words.split("restore it into")[1]
