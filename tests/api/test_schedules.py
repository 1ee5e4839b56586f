"""Schedules of backups, as their owners keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from calling import As, Ready
from sqlalchemy import update

from argosy.db.session import Database
from argosy.db.tables import BackupSchedule, DatastoreVersion, Run

NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "retention": {"daily": 7}}


@pytest.fixture
def instance(ready: Ready, database: Database) -> str:
    """Of a version that can be backed up."""
    with database.write() as session:
        session.execute(update(DatastoreVersion).values(capabilities=["accounts", "databases", "tls", "backups"]))
    return ready()


def make(member: As, instance: str, **more: Any) -> dict[str, Any]:
    answer = member("POST", "/backup_schedules", {"backup_schedule": {"instance_id": instance, **NIGHTLY, **more}})
    assert answer.status_code == 200, answer.text
    return dict(answer.json["backup_schedule"])


def test_from_create_to_delete(member: As, instance: str) -> None:
    made = make(member, instance)
    assert made["next_at"].endswith((":30:00", "01:00:00"))
    assert (made["full_every"], made["strategy"], made["paused"], made["missed"]) == (1, None, False, 0)
    assert member.get("/backup_schedules")["backup_schedules"] == [made]
    assert member.get(f"/backup_schedules?instance_id={instance}")["backup_schedules"] == [made]
    assert member.get("/backup_schedules?instance_id=other")["backup_schedules"] == []
    assert member.get(f"/backup_schedules/{made['id']}") == {"backup_schedule": made}
    assert member("DELETE", f"/backup_schedules/{made['id']}").status_code == 204
    assert member.get("/backup_schedules")["backup_schedules"] == []
    told = member.get("/events?kind=dbaas.backup_schedule")["events"]
    assert [each["event_type"] for each in told] == ["dbaas.backup_schedule_create", "dbaas.backup_schedule_delete"]


def test_what_is_not_named_stays(member: As, instance: str) -> None:
    made = make(member, instance, full_every=7)
    path = f"/backup_schedules/{made['id']}"
    rule = {"count": 3, "days": 1, "hourly": 5, "daily": 7, "weekly": 4, "monthly": 6, "yearly": 2}
    body = {"backup_schedule": {"cron": "0 * * * *", "retention": rule}}
    changed = member("PUT", path, body).json["backup_schedule"]
    assert (changed["name"], changed["timezone"], changed["full_every"]) == ("nightly", "Europe/Berlin", 7)
    assert (changed["cron"], changed["retention"]) == ("0 * * * *", rule)
    paused = member("PUT", path, {"backup_schedule": {"paused": True}}).json["backup_schedule"]
    assert (paused["paused"], paused["next_at"], paused["cron"]) == (True, None, "0 * * * *")


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "61 * * * *"},
        {"cron": "daily"},
        {"timezone": "Mars/Olympus"},
        {"full_every": 0},
        {"retention": {"count": 0}},
        {"retention": {"fortnightly": 1}},
        {"strategy": "magic"},
        {"paused": 3},
        {"colour": "blue"},
    ],
)
def test_what_means_nothing_is_refused(member: As, instance: str, wrong: dict[str, Any]) -> None:
    body = {"backup_schedule": {"instance_id": instance, **NIGHTLY, **wrong}}
    assert member.refused("POST", "/backup_schedules", body)[:2] == (400, "badRequest")
    assert member.get("/backup_schedules")["backup_schedules"] == []


def test_another_projects_is_not_there(member: As, stranger: As, instance: str) -> None:
    made = make(member, instance)["id"]
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"backup_schedule": {"paused": True}}),
        ("DELETE", "", None),
        ("POST", "/run", {}),
    ):
        assert stranger.refused(method, f"/backup_schedules/{made}{path}", body)[:2] == (404, "itemNotFound")
    body = {"backup_schedule": {"instance_id": instance, **NIGHTLY}}
    assert stranger.refused("POST", "/backup_schedules", body)[0] == 404


def test_pages_are_walked_by_id(member: As, instance: str) -> None:
    made = sorted(make(member, instance, name=f"s{number}")["id"] for number in range(5))
    first = member.get("/backup_schedules?limit=2")
    assert [each["id"] for each in first["backup_schedules"]] == made[:2]
    assert first["links"] == first["backup_schedules_links"]
    assert member.refused("GET", "/backup_schedules?limit=many")[0] == 400
    rest = member.get(f"/backup_schedules?limit=9&marker={made[1]}")
    assert [each["id"] for each in rest["backup_schedules"]] == made[2:]
    assert "links" not in rest


def test_an_instance_has_so_many_and_no_more(member: As, instance: str) -> None:
    for number in range(20):
        make(member, instance, name=f"s{number}")
    body = {"backup_schedule": {"instance_id": instance, **NIGHTLY}}
    assert member.refused("POST", "/backup_schedules", body)[:2] == (413, "overLimit")


def test_a_name_means_one_schedule_of_the_project(member: As, ready: Ready, instance: str) -> None:
    """Commands take it as it is, without the instance."""
    made, other = make(member, instance), make(member, instance, name="hourly")["id"]
    body = {"backup_schedule": {"instance_id": ready(), **NIGHTLY}}
    status, key, said = member.refused("POST", "/backup_schedules", body)
    assert (status, key) == (409, "conflict")
    assert f"There is a schedule nightly already, {made['id']} of instance {instance}" in said
    named = {"backup_schedule": {"name": "nightly"}}
    assert member.refused("PUT", f"/backup_schedules/{other}", named)[:2] == (409, "conflict")
    assert member("PUT", f"/backup_schedules/{made['id']}", named).status_code == 200
    assert member("DELETE", f"/backup_schedules/{made['id']}").status_code == 204
    assert member("PUT", f"/backup_schedules/{other}", named).json["backup_schedule"]["name"] == "nightly"


def test_of_two_requests_for_one_name_one_has_it(member: As, instance: str) -> None:
    body = {"backup_schedule": {"instance_id": instance, **NIGHTLY}}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: member("POST", "/backup_schedules", body).status_code, range(8)))
    assert sorted(answers) == [200] + [409] * 7
    assert len(member.get("/backup_schedules")["backup_schedules"]) == 1


def test_those_that_share_a_name_from_before_can_be_told_apart(member: As, instance: str, database: Database) -> None:
    first, second = make(member, instance)["id"], make(member, instance, name="other")["id"]
    with database.write() as session:
        session.execute(update(BackupSchedule).where(BackupSchedule.id == second).values(name="nightly"))
    paused = {"backup_schedule": {"paused": True}}
    assert member("PUT", f"/backup_schedules/{first}", paused).status_code == 200
    renamed = member("PUT", f"/backup_schedules/{second}", {"backup_schedule": {"name": "weekly"}})
    assert renamed.json["backup_schedule"]["name"] == "weekly"


def test_one_runs_now_and_not_twice_at_once(member: As, instance: str, database: Database) -> None:
    made = make(member, instance)["id"]
    begun = member("POST", f"/backup_schedules/{made}/run")
    assert begun.status_code == 202, begun.text
    backup = member.get(f"/backups/{begun.json['backup_id']}")["backup"]
    assert backup["name"].startswith("nightly ")
    assert member.get(f"/backup_schedules/{made}")["backup_schedule"]["last_backup_id"] == backup["id"]
    assert member.refused("POST", f"/backup_schedules/{made}/run")[0] == 422
    with database.read() as session:
        assert session.query(Run).filter_by(workflow="create_backup").count() == 1
