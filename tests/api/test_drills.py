"""Trials of backups, as their owners ask for them and see them."""

from __future__ import annotations

import time

import pytest
from calling import As, Ready

from argosy.db.session import Database
from argosy.db.tables import Backup, Drill, Instance

NOW = time.time()
BACKUP = "bbbbbbbb-0000-4000-8000-000000000001"


@pytest.fixture
def backup(ready: Ready, database: Database) -> str:
    instance = ready()
    with database.write() as session:
        version = session.get_one(Instance, instance).version_id
        row = Backup(id=BACKUP, project_id="blue", instance_id=instance, name="b", version_id=version)
        row.state, row.created, row.updated, row.finished, row.quota_held = "COMPLETED", NOW, NOW, NOW, False
        session.add(row)
    return BACKUP


def test_one_at_a_time(member: As, backup: str) -> None:
    begun = member("POST", f"/backups/{backup}/drills")
    assert begun.status_code == 202
    drill = begun.json["drill"]
    assert (drill["backup_id"], drill["state"], drill["ended"]) == (backup, "running", None)
    assert member.get(f"/backups/{backup}/drills")["drills"] == [drill]
    assert member.get(f"/backups/{backup}")["backup"]["proof"]["state"] == "proving"
    status, _, words = member.refused("POST", f"/backups/{backup}/drills")
    assert status == 422
    assert "already" in words


def test_page_by_page_the_newest_first(member: As, backup: str, database: Database) -> None:
    with database.write() as session:
        for number in range(3):
            row = Drill(id=f"d{number}", backup_id=backup, project_id="blue", instance_id="i", state="passed")
            row.started, row.ended, row.report = NOW + number, NOW + number + 0.5, {"tables": 3}
            session.add(row)
    first = member.get(f"/backups/{backup}/drills?limit=2")
    assert [(each["id"], each["seconds"]) for each in first["drills"]] == [("d2", 0.5), ("d1", 0.5)]
    assert first["links"] == first["drills_links"]
    rest = member.get(f"/backups/{backup}/drills?limit=2&marker=2")
    assert [each["id"] for each in rest["drills"]] == ["d0"]
    assert member.refused("GET", f"/backups/{backup}/drills?limit=many")[0] == 400


def test_what_is_not_complete_is_not_tried(member: As, stranger: As, backup: str, database: Database) -> None:
    assert stranger.refused("POST", f"/backups/{backup}/drills")[0] == 404
    assert stranger.refused("GET", f"/backups/{backup}/drills")[0] == 404
    with database.write() as session:
        session.get_one(Backup, backup).state = "FAILED"
    assert member.refused("POST", f"/backups/{backup}/drills")[:2] == (409, "conflict")
