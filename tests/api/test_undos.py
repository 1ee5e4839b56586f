"""Restoring in place and going back: what is asked for, what is refused, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Ready
from seeding import VERSIONS

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Backup, Fact, Instance, Run, Undo

BACKUP = "bbbbbbbb-0000-4000-8000-000000000001"
KEPT = "cccccccc-0000-4000-8000-000000000001"
OTHER = "cccccccc-0000-4000-8000-000000000002"


@pytest.fixture
def snapshots(database: Database) -> None:
    """The provider makes some."""
    with database.write() as session:
        session.merge(Fact(name="provider", value={"name": "local", "features": ["snapshot"]}))


@pytest.fixture
def instance(ready: Ready, database: Database) -> str:
    made = ready()
    with database.write() as session:
        told: dict[str, Any] = {"id": BACKUP, "instance_id": made, "project_id": "blue", "name": "b1"}
        session.add(Backup(**told, version_id=VERSIONS["15"], state="COMPLETED", created=1.0, updated=1.0, gigabytes=2))
    return made


def keep(database: Database, instance: str, name: str = KEPT, created: float = 1_800_000_000.0) -> None:
    with database.write() as session:
        told = {"reason": "restored from backup b1", "version_id": VERSIONS["15"], "until": created + 86_400}
        session.add(Undo(instance_id=instance, id=name, created=created, **told))


def act(who: As, instance: str, **action: Any) -> tuple[int, str]:
    answer = who("POST", f"/instances/{instance}/action", action)
    return answer.status_code, next(iter(answer.json.values()))["message"] if answer.json else ""


@pytest.mark.usefixtures("snapshots")
def test_a_restore_shows_at_once(instance: str, member: As, database: Database) -> None:
    assert act(member, instance, restore={"backup": BACKUP}) == (202, "")
    assert member.get(f"/instances/{instance}")["instance"]["status"] == "BUILD"
    assert member.get(f"/instances/{instance}/operations")["operations"][0]["operation"] == "restore_in_place"
    (event,) = member.get("/events?kind=dbaas.instance_restore.start")["events"]
    assert event["payload"]["backup_id"] == BACKUP
    assert act(member, instance, restore={"backup": BACKUP})[0] == 422
    with database.read() as session:
        assert session.get_one(Instance, instance).restored_from is None, "not before it is so"


@pytest.mark.usefixtures("snapshots")
def test_what_cannot_be_restored(instance: str, member: As, stranger: As, database: Database) -> None:
    assert act(stranger, instance, restore={"backup": BACKUP})[0] == 404
    assert act(member, instance, restore={"backup": KEPT})[0] == 404
    assert act(member, instance, restore={"backup": "b1"})[0] == 400
    assert act(member, instance, restore={"backup": BACKUP, "more": 1})[0] == 400
    status, words = act(member, instance, restore={"at": "latest"})
    assert (status, "log" in words) == (409, True)
    with database.write() as session:
        session.get_one(Backup, BACKUP).gigabytes = 3
    assert act(member, instance, restore={"backup": BACKUP})[0] == 403
    with database.write() as session:
        session.get_one(Backup, BACKUP).state = "BUILDING"
    assert act(member, instance, restore={"backup": BACKUP})[0] == 409
    with database.read() as session:
        assert session.get_one(Instance, instance).task == "NONE"


def test_without_snapshots_nothing_is_given_up(instance: str, member: As) -> None:
    status, words = act(member, instance, restore={"backup": BACKUP})
    assert (status, "new instance" in words) == (501, True)


@pytest.mark.usefixtures("snapshots")
def test_what_is_protected_is_asked_for_twice(instance: str, member: As, database: Database) -> None:
    keep(database, instance)
    with database.write() as session:
        session.get_one(Instance, instance).protected = True
    for action in ({"restore": {"backup": BACKUP}}, {"undo": {}}):
        status, words = act(member, instance, **action)
        assert (status, "confirm" in words) == (422, True)
    assert act(member, instance, undo={"confirm": True}) == (202, "")


@pytest.mark.usefixtures("snapshots")
def test_what_can_be_gone_back_to(instance: str, member: As, stranger: As, database: Database) -> None:
    where = f"/instances/{instance}/undos"
    assert member.get(where) == {"undos": []}
    assert act(member, instance, undo={})[0] == 404
    keep(database, instance)
    keep(database, instance, OTHER, created=1_800_000_060.0)
    latest, first = member.get(where)["undos"]
    assert first == {
        "id": KEPT,
        "reason": "restored from backup b1",
        "datastore_version": "15",
        "created": "2027-01-15T08:00:00",
        "until": "2027-01-16T08:00:00",
    }
    assert latest["id"] == OTHER
    assert stranger("GET", where).status_code == 404
    assert act(member, instance, undo={"id": BACKUP})[0] == 404
    assert act(member, instance, undo={}) == (202, "")
    with database.read() as session:
        (run,) = (each for each in session.query(Run).where(Run.workflow == "undo_change"))
        assert run.memory["undo"] == OTHER


def test_let_go_of_before_its_time(instance: str, member: As, stranger: As, database: Database) -> None:
    keep(database, instance)
    where = f"/instances/{instance}/undos/{KEPT}"
    assert stranger("DELETE", where).status_code == 404
    assert member("DELETE", where).status_code == 202
    (event,) = member.get("/events?kind=dbaas.instance_undo_forget")["events"]
    assert event["payload"]["undo_id"] == KEPT
    with database.read() as session:
        assert session.get_one(Undo, (instance, KEPT)).until < clock.now()
    assert member("DELETE", f"/instances/{instance}/undos/{OTHER}").status_code == 404
