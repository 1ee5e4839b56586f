"""What is protected is not lost by being deleted."""

from __future__ import annotations

import time

import pytest
from calling import As, Ready, order
from sqlalchemy import select, update

from argosy.db.session import Database
from argosy.db.tables import Backup, DatastoreVersion, Instance, Run
from argosy.durable import queue
from argosy.settings import Settings
from argosy.workflows import restart_instance

NOW = time.time()


@pytest.fixture
def instance(ready: Ready, database: Database, member: As) -> str:
    """Protected, and of a version that can be backed up."""
    with database.write() as session:
        session.execute(update(DatastoreVersion).values(capabilities=["accounts", "databases", "tls", "backups"]))
    made = ready()
    assert member("PUT", f"/instances/{made}", {"instance": {"deletion_protection": True}}).status_code == 202
    return made


def quarantine(database: Database, instance: str) -> None:
    """As the operation leaves it."""
    with database.write() as session:
        row = session.get_one(Instance, instance)
        row.deleted, row.deleted_at, row.quarantined_until, row.task = True, NOW, NOW + 9999, "NONE"
        row.quota_held = False


def begun(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Run.workflow).where(Run.state == "active").order_by(Run.created)))


def keep(database: Database, instance: str, number: int, **more: object) -> str:
    backup_id = f"bbbbbbbb-0000-4000-8000-{number:012}"
    with database.write() as session:
        version = session.get_one(Instance, instance).version_id
        row = Backup(id=backup_id, project_id="blue", instance_id=instance, name=f"b{number}", version_id=version)
        row.state, row.created, row.updated, row.finished, row.quota_held = "COMPLETED", NOW, NOW, NOW, False
        for name, value in more.items():
            setattr(row, name, value)
        session.add(row)
    return backup_id


def test_it_is_told_and_can_be_asked_for_at_the_start(member: As) -> None:
    made = member("POST", "/instances", order(deletion_protection=True)).json["instance"]
    assert made["deletion_protection"] is True
    assert member("PATCH", f"/instances/{made['id']}", {"instance": {"deletion_protection": False}}).status_code == 202
    assert member.get(f"/instances/{made['id']}")["instance"]["deletion_protection"] is False


def test_deleted_it_gets_a_last_backup_and_waits(member: As, instance: str, database: Database) -> None:
    assert member("DELETE", f"/instances/{instance}").status_code == 202
    assert begun(database) == ["create_backup", "quarantine_instance"]
    assert member("DELETE", f"/instances/{instance}").status_code == 202
    assert len(begun(database)) == 2
    (last,) = member.get("/backups")["backups"]
    assert last["instance_id"] == instance


def test_without_a_last_backup_if_its_owner_wants_none(member: As, instance: str, database: Database) -> None:
    assert member("DELETE", f"/instances/{instance}?skip_final_backup=true").status_code == 202
    assert begun(database) == ["quarantine_instance"]


def test_where_there_can_be_no_last_backup_it_is_said_how_to_do_without(
    member: As, instance: str, database: Database
) -> None:
    with database.write() as session:
        session.get_one(Instance, instance).wanted = "stopped"
    status, _, words = member.refused("DELETE", f"/instances/{instance}")
    assert status == 422
    assert "skip_final_backup" in words
    with database.write() as session:
        session.execute(update(DatastoreVersion).values(capabilities=["accounts"]))
    status, _, words = member.refused("DELETE", f"/instances/{instance}")
    assert status == 501
    assert "skip_final_backup" in words
    assert begun(database) == []


def test_its_backups_are_not_deleted_with_it(member: As, instance: str, database: Database) -> None:
    assert member.refused("DELETE", f"/instances/{instance}?delete_backups=true")[0] == 422
    assert begun(database) == []


def test_it_is_listed_brought_back_and_gone_for_everybody_else(
    member: As, stranger: As, instance: str, database: Database
) -> None:
    quarantine(database, instance)
    assert member.refused("GET", f"/instances/{instance}")[0] == 404
    (seen,) = member.get("/deleted_instances")["deleted_instances"]
    assert (seen["id"], seen["volume"], seen["fault"]) == (instance, {"size": 2}, None)
    assert seen["until"] > seen["deleted"]
    assert stranger.get("/deleted_instances")["deleted_instances"] == []
    path = f"/deleted_instances/{instance}"
    assert stranger.refused("POST", f"{path}/bring_back")[0] == 404
    assert member("POST", f"{path}/bring_back").status_code == 202
    assert member.get(f"/instances/{instance}")["instance"]["status"] == "BUILD"
    assert member.refused("POST", f"{path}/bring_back")[0] == 404


def test_there_has_to_be_quota_for_what_comes_back(member: As, admin: As, instance: str, database: Database) -> None:
    quarantine(database, instance)
    assert admin("PUT", "/mgmt/quotas/blue", {"quotas": {"instances": 0}}).status_code == 200
    assert member.refused("POST", f"/deleted_instances/{instance}/bring_back")[:2] == (413, "overLimit")
    assert len(member.get("/deleted_instances")["deleted_instances"]) == 1


def test_it_can_go_for_good(member: As, instance: str, database: Database) -> None:
    quarantine(database, instance)
    assert member("DELETE", f"/deleted_instances/{instance}").status_code == 202
    assert begun(database) == ["delete_instance"]


def test_a_protected_backup_waits_with_what_builds_on_it(member: As, instance: str, database: Database) -> None:
    first = keep(database, instance, 1, protected=True)
    second = keep(database, instance, 2, parent_id=first)
    assert member("DELETE", f"/backups/{first}").status_code == 202
    assert member.get("/backups")["backups"] == []
    assert member.refused("GET", f"/backups/{first}")[0] == 404
    assert {each["id"] for each in member.get("/deleted_backups")["deleted_backups"]} == {first, second}
    assert member("POST", f"/deleted_backups/{second}/bring_back").status_code == 202
    assert {each["id"] for each in member.get("/backups")["backups"]} == {first, second}
    told = [each["event_type"] for each in member.get("/events?kind=dbaas.backup")["events"]]
    assert told == ["dbaas.backup_quarantine", "dbaas.backup_bring_back"]


def test_a_deleted_backup_can_go_for_good(member: As, stranger: As, instance: str, database: Database) -> None:
    backup = keep(database, instance, 1, quarantined_until=NOW + 9999)
    assert stranger.refused("DELETE", f"/deleted_backups/{backup}")[0] == 404
    assert stranger.get("/deleted_backups")["deleted_backups"] == []
    assert member("DELETE", f"/deleted_backups/{backup}").status_code == 202
    assert begun(database) == ["delete_backup"]


def test_what_is_held_goes_for_nobody(
    member: As, admin: As, instance: str, database: Database, settings: Settings
) -> None:
    assert settings.backups.minimum_retention_days == 0
    parent = keep(database, instance, 1)
    child = keep(database, instance, 2, parent_id=parent, hold_until=NOW + 9999)
    for who in (member, admin):
        status, key, words = who.refused("DELETE", f"/backups/{parent}")
        assert (status, key) == (403, "forbidden")
        assert child in words
    member("PUT", f"/instances/{instance}", {"instance": {"deletion_protection": False}})
    assert member.refused("DELETE", f"/instances/{instance}?delete_backups=true")[0] == 403
    assert member("DELETE", f"/instances/{instance}").status_code == 202


def test_an_operator_holds_a_backup_and_lets_it_go(member: As, admin: As, instance: str, database: Database) -> None:
    backup = keep(database, instance, 1)
    path = f"/mgmt/backups/{backup}/action"
    held = {"hold": {"until": "2099-01-01T00:00:00"}}
    assert member.refused("POST", path, held)[0] == 401
    status, _, words = admin.refused("POST", path, {"hold": {"until": "2020-01-01T00:00:00"}})
    assert (status, "to come" in words) == (400, True)
    assert admin("POST", path, held).status_code == 202
    assert member.get(f"/backups/{backup}")["backup"]["held_until"] == "2099-01-01T00:00:00"
    assert member.refused("DELETE", f"/backups/{backup}")[0] == 403
    assert admin("POST", path, {"release": {}}).status_code == 202
    assert member("DELETE", f"/backups/{backup}").status_code == 202


def test_a_backup_is_protected_by_its_owner(member: As, stranger: As, instance: str, database: Database) -> None:
    backup = keep(database, instance, 1)
    body = {"backup": {"deletion_protection": True, "name": "kept"}}
    assert stranger.refused("PUT", f"/backups/{backup}", body)[0] == 404
    changed = member("PUT", f"/backups/{backup}", body)
    assert changed.status_code == 200
    assert (changed.json["backup"]["deletion_protection"], changed.json["backup"]["name"]) == (True, "kept")


def test_lists_are_walked_page_by_page(member: As, instance: str, database: Database, ready: Ready) -> None:
    for each in (instance, ready("another")):
        quarantine(database, each)
    for number in (1, 2):
        keep(database, instance, number, quarantined_until=NOW + 9999)
    for name in ("deleted_instances", "deleted_backups"):
        first = member.get(f"/{name}?limit=1")
        assert first["links"] == first[f"{name}_links"]
        (seen,) = first[name]
        (rest,) = member.get(f"/{name}?limit=1&marker={seen['id']}")[name]
        assert rest["id"] > seen["id"]
        assert member.refused("GET", f"/{name}?limit=many")[0] == 400


def test_what_is_in_use_waits(member: As, instance: str, database: Database) -> None:
    """Somebody restores the backup, or does something with what is left of the instance."""
    quarantine(database, instance)
    backup = keep(database, instance, 1, quarantined_until=NOW + 9999)
    with database.write() as session:
        for subject in (instance, backup):
            queue.enqueue(session, restart_instance.restart_instance, subject, project_id="blue")
    assert member.refused("DELETE", f"/deleted_instances/{instance}")[0] == 422
    assert member.refused("POST", f"/deleted_instances/{instance}/bring_back")[0] == 422
    assert member.refused("DELETE", f"/deleted_backups/{backup}")[0] == 422


def test_what_a_backup_stands_on_has_to_be_there(member: As, instance: str, database: Database) -> None:
    orphan = keep(database, instance, 1, parent_id="gone", quarantined_until=NOW + 9999)
    assert member.refused("POST", f"/deleted_backups/{orphan}/bring_back")[:2] == (409, "conflict")
