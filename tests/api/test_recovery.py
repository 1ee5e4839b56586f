"""Which moments an instance can be restored to, and what is refused of them."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from calling import As, Ready, order
from sqlalchemy import select, update

from argosy.db.session import Database
from argosy.db.tables import Archive, ArchiveStream, Backup, DatastoreVersion, Guest, Instance, Run
from argosy.settings import Settings
from argosy.workflows import archives

ABLE = ["accounts", "databases", "tls", "backups", "point-in-time"]
NOW = float(int(time.time()))
HOUR = 3600.0


@pytest.fixture
def instance(ready: Ready, database: Database) -> str:
    with database.write() as session:
        session.execute(update(DatastoreVersion).values(capabilities=ABLE))
    return ready()


def keep(database: Database, instance: str, number: int, began: float, latest: float, *, ended: bool = False) -> str:
    """A stream with a backup that was taken when it began; the backup's id."""
    backup_id = f"bbbbbbbb-0000-4000-8000-{number:012}"
    with database.write() as session:
        row = session.get_one(Instance, instance)
        version, project = row.version_id, row.project_id
        session.merge(Archive(instance_id=instance, project_id=project, stream=number, created=NOW, updated=NOW))
        stream = ArchiveStream(instance_id=instance, number=number, project_id=project, version_id=version)
        stream.place, stream.data_key, stream.generation, stream.position = "c/p/s/", "00", 1, {"lsn": "0/1"}
        stream.asked, stream.began, stream.latest, stream.committed = began, began, latest, latest
        stream.ended, stream.stored_bytes = latest if ended else None, 7
        backup = Backup(id=backup_id, project_id=project, instance_id=instance, name="base", version_id=version)
        backup.state, backup.strategy, backup.created, backup.moment = "COMPLETED", "basebackup", began, began
        backup.updated = began
        session.add_all([stream, backup])
    return backup_id


def stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))


def point(instance: str, **more: Any) -> dict[str, Any]:
    return order(restorePoint={"instance": instance, **more})


def wanted(database: Database) -> dict[str, Any]:
    """What the restore that was begun last is to be."""
    with database.read() as session:
        run = session.scalars(select(Run).where(Run.workflow == "create_instance").order_by(Run.created.desc())).first()
        assert run is not None
        restore: dict[str, Any] = run.memory["restore"]
        return restore


def test_nothing_at_first(member: As, stranger: As, instance: str) -> None:
    seen = member.get(f"/instances/{instance}/recovery")["recovery"]
    assert (seen["enabled"], seen["possible"], seen["windows"], seen["latest"]) == (False, True, [], None)
    assert stranger.refused("GET", f"/instances/{instance}/recovery")[0] == 404
    assert stranger.refused("PUT", f"/instances/{instance}/recovery", {"recovery": {"enabled": True}})[0] == 404


def test_on_and_off(member: As, instance: str, database: Database) -> None:
    path = f"/instances/{instance}/recovery"
    assert member.refused("PUT", path, {"recovery": {"keep_days": 3}})[0] == 422
    told = member("PUT", path, {"recovery": {"enabled": True, "keep_days": 3}}).json["recovery"]
    assert (told["enabled"], told["keep_days"], told["latest"]) == (True, 3, None)
    assert member.get(f"/instances/{instance}")["instance"]["recovery"]["enabled"] is True
    assert member("PUT", path, {"recovery": {"keep_days": 5}}).json["recovery"]["keep_days"] == 5
    assert member("PUT", path, {"recovery": {"enabled": False}}).json["recovery"]["enabled"] is False
    with database.read() as session:
        assert session.scalars(select(Run.workflow).where(Run.workflow == "end_archive")).all() == ["end_archive"]


def test_a_restart_that_it_takes_is_told(member: As, instance: str, database: Database) -> None:
    path = f"/instances/{instance}/recovery"
    assert member.get(path)["recovery"]["restart"] is False
    for written in (0.0, 1.0):
        with database.write() as session:
            session.get_one(Guest, instance).metrics = {"log_written": written}
        told = member("PUT", path, {"recovery": {"enabled": True}}).json["recovery"]
        assert told["restart"] is not bool(written)


@pytest.mark.parametrize("everywhere", [True, False])
def test_whether_a_server_writes_its_log(
    ready: Ready, instance: str, database: Database, settings: Settings, everywhere: bool
) -> None:
    """As its owner has decided, else as the deployment has it, where the version can."""
    shipped = dataclasses.replace(settings, backups=dataclasses.replace(settings.backups, point_in_time=everywhere))
    chosen = ready("chosen", recovery={"enabled": True})
    with database.write() as session:
        undecided, on = session.get_one(Instance, instance), session.get_one(Instance, chosen)
        assert archives.wanted(session, shipped, undecided) is everywhere
        assert archives.wanted(session, shipped, on)
        session.get_one(Archive, chosen).enabled = False
        assert not archives.wanted(session, shipped, on)
        session.execute(update(DatastoreVersion).values(capabilities=["backups"]))
        assert not archives.wanted(session, shipped, undecided)


def test_from_the_first(member: As, ready: Ready, instance: str) -> None:
    assert member.get(f"/instances/{instance}/recovery")["recovery"]["enabled"] is False
    made = ready(recovery={"enabled": True, "keep_days": 3})
    seen = member.get(f"/instances/{made}/recovery")["recovery"]
    assert (seen["enabled"], seen["keep_days"]) == (True, 3)
    assert member.get(f"/instances/{ready(recovery={'enabled': False})}/recovery")["recovery"]["enabled"] is False


def test_a_version_that_cannot(member: As, ready: Ready, database: Database) -> None:
    with database.write() as session:
        session.execute(update(DatastoreVersion).values(capabilities=["accounts", "databases", "tls"]))
    made = ready()
    assert member.refused("PUT", f"/instances/{made}/recovery", {"recovery": {"enabled": True}})[0] == 501
    assert member.get(f"/instances/{made}/recovery")["recovery"]["possible"] is False


def test_windows_are_shown(member: As, instance: str, database: Database) -> None:
    old = keep(database, instance, 1, NOW - 9 * HOUR, NOW - 7 * HOUR, ended=True)
    keep(database, instance, 2, NOW - 5 * HOUR, NOW - HOUR)
    with database.write() as session:
        guest = session.get_one(Guest, instance)
        guest.metrics = {"archive_stream": 2.0, "archive_latest": NOW - 60, "archive_backlog_bytes": 12.0}
    seen = member.get(f"/instances/{instance}/recovery")["recovery"]
    assert (seen["earliest"], seen["latest"]) == (stamp(NOW - 9 * HOUR), stamp(NOW - 60))
    assert [each["ended"] for each in seen["windows"]] == [True, False]
    assert [each["id"] for each in seen["windows"][0]["backups"]] == [old]
    assert seen["backlog"]["bytes"] == 12
    assert 60 <= seen["backlog"]["seconds"] < HOUR


def test_the_backup_before_the_moment_is_begun_with(
    member: As, instance: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.workflows.restoring.examine", lambda *_: ())
    old = keep(database, instance, 1, NOW - 9 * HOUR, NOW - 7 * HOUR, ended=True)
    new = keep(database, instance, 2, NOW - 5 * HOUR, NOW - HOUR)
    for told, base, stream, time_ in (
        ({"at": stamp(NOW - 8 * HOUR)}, old, 1, NOW - 8 * HOUR),
        ({"at": stamp(NOW - 2 * HOUR)}, new, 2, NOW - 2 * HOUR),
        ({"at": stamp(NOW - HOUR)}, new, 2, None),
        ({"at": "latest"}, new, 2, None),
        ({"transaction": "7"}, new, 2, None),
        ({"transaction": "7", "backupRef": old}, old, 1, None),
    ):
        assert member("POST", "/instances", point(instance, **told)).status_code == 200, told
        restore = wanted(database)
        assert (restore["backup_id"], restore["log"]["stream"], restore["target"]["time"]) == (base, stream, time_)


@pytest.mark.parametrize("hours", [10.0, 6.0, 0.5, -1.0])
def test_a_moment_outside_is_refused_with_those_inside(
    member: As, instance: str, database: Database, hours: float
) -> None:
    keep(database, instance, 1, NOW - 9 * HOUR, NOW - 7 * HOUR, ended=True)
    keep(database, instance, 2, NOW - 5 * HOUR, NOW - HOUR)
    status, _, words = member.refused("POST", "/instances", point(instance, at=stamp(NOW - hours * HOUR)))
    assert status == 409
    for moment in (NOW - 9 * HOUR, NOW - 7 * HOUR, NOW - 5 * HOUR, NOW - HOUR):
        assert stamp(moment) in words


@pytest.mark.parametrize("told", [{"at": "noon"}, {"at": 7}, {"at": "latest", "transaction": "1"}, {"moment": "x"}])
def test_what_is_no_target(member: As, instance: str, database: Database, told: dict[str, Any]) -> None:
    keep(database, instance, 1, NOW - 5 * HOUR, NOW - HOUR)
    assert member.refused("POST", "/instances", point(instance, **told))[0] == 400


def test_nobody_elses(stranger: As, instance: str, database: Database) -> None:
    keep(database, instance, 1, NOW - 5 * HOUR, NOW - HOUR)
    assert stranger.refused("POST", "/instances", point(instance, at="latest"))[0] == 404


def test_a_peek_is_of_something(member: As) -> None:
    assert member.refused("POST", "/instances", order(peek={"hours": 1}))[0] == 400


def test_what_cannot_be_copied(member: As, instance: str, create: Any) -> None:
    asked = {"copy_from": {"instance": instance, "database": "shop"}}
    assert member.refused("POST", f"/instances/{instance}/action", asked)[0] == 400
    other = create("m2")["id"]
    assert member.refused("POST", f"/instances/{other}/action", asked)[0] == 422
