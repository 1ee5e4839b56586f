"""Actions."""

from __future__ import annotations

import pytest
from calling import As, Create, Ready

from argosy.db.session import Database
from argosy.db.tables import Instance, Lock, Quota, QuotaUse, Run


@pytest.mark.parametrize("body", [{"restart": {}}, {"restart": None}])
def test_restart_shows_before_it_is_answered(ready: Ready, member: As, body: object) -> None:
    instance_id = ready()
    answer = member("POST", f"/instances/{instance_id}/action", body)
    assert (answer.status_code, answer.content) == (202, b"")
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["operating_status"]) == ("REBOOT", "")


def finish(database: Database, instance_id: str) -> None:
    """As the operation under way would."""
    with database.write() as session:
        session.get_one(Instance, instance_id).task = "NONE"
        session.query(Lock).delete()


def test_restart_while_building_is_busy(create: Create, member: As) -> None:
    instance_id = create()["id"]
    assert member.refused("POST", f"/instances/{instance_id}/action", {"restart": {}}) == (
        422,
        "unprocessableEntity",
        f"Instance {instance_id} is not currently available for an action to be performed (instance status was BUILD).",
    )


def test_the_last_of_several_counts(ready: Ready, member: As, database: Database) -> None:
    body = {"promote_to_replica_source": {}, "restart": {}}
    assert member("POST", f"/instances/{ready()}/action", body).status_code == 202
    with database.read() as session:
        assert "restart_instance" in {run.workflow for run in session.query(Run)}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ({}, 400),
        ({"explode": {}}, 400),
        ({"restart": "now"}, 400),
        ({"restart": []}, 400),
        ({"promote_to_replica_source": {}}, 400),
        ({"eject_replica_source": {}}, 400),
        ({"resize": {}}, 400),
        ({"resize": {"flavorRef": "2"}}, 400),
        ({"resize": {"flavorRef": "no"}}, 400),
        ({"resize": {"volume": {}}}, 400),
        ({"resize": {"volume": {"size": 2}}}, 400),
        ({"resize": {"volume": {"size": "two"}}}, 400),
        ({"resize": {"volume": True}}, 400),
        ({"resize": {"volume": 1001}}, 413),
        ({"stop": "now"}, 400),
        ({"reset_status": {}}, 403),
    ],
)
def test_refused(ready: Ready, member: As, body: object, status: int) -> None:
    instance_id = ready()
    assert member.refused("POST", f"/instances/{instance_id}/action", body)[0] == status
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "ACTIVE"


@pytest.mark.parametrize("body", [{"volume": {"size": 3}}, {"volume": {"size": "3"}}, {"volume": 3}])
def test_a_larger_volume_is_held_and_told_before_it_is_answered(ready: Ready, member: As, body: object) -> None:
    instance_id = ready()
    assert member("POST", f"/instances/{instance_id}/action", {"resize": body}).status_code == 202
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["volume"]["size"]) == ("RESIZE", 3)


@pytest.mark.parametrize("flavor", ["3", 3, "http://nova/v2.1/flavors/3"])
def test_another_flavor(ready: Ready, member: As, database: Database, flavor: object) -> None:
    instance_id = ready()
    assert member("POST", f"/instances/{instance_id}/action", {"resize": {"flavorRef": flavor}}).status_code == 202
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["flavor"]["id"]) == ("RESIZE", "2")
    assert used(database, "ram") == 1024


def used(database: Database, resource: str) -> int:
    with database.read() as session:
        return session.get_one(QuotaUse, ("blue", resource)).used


@pytest.mark.parametrize(("resource", "body"), [("ram", {"flavorRef": "3"}), ("volumes", {"volume": 3})])
def test_beyond_the_quota(ready: Ready, member: As, database: Database, resource: str, body: object) -> None:
    instance_id = ready()
    before = used(database, resource)
    with database.write() as session:
        session.add(Quota(project_id="blue", resource=resource, hard_limit=before))
    assert member.refused("POST", f"/instances/{instance_id}/action", {"resize": body})[0] == 413
    assert used(database, resource) == before
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "ACTIVE"


def test_a_stopped_one_is_shut_down_and_cannot_be_restarted(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    assert member("POST", f"/instances/{instance_id}/action", {"stop": {}}).status_code == 202
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "SHUTDOWN"
    finish(database, instance_id)
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["operating_status"]) == ("SHUTDOWN", "SHUTDOWN")
    status, _, message = member.refused("POST", f"/instances/{instance_id}/action", {"restart": {}})
    assert status == 422
    assert "start it first" in message
    assert member("POST", f"/instances/{instance_id}/action", {"start": {}}).status_code == 202
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "REBOOT"


def test_a_status_that_is_reset_is_reset_at_once(create: Create, admin: As) -> None:
    instance_id = create()["id"]
    assert admin("POST", f"/instances/{instance_id}/action", {"reset_status": {}}).status_code == 202
    assert admin.get(f"/instances/{instance_id}")["instance"]["status"] == "ACTIVE"


def test_a_deletion_is_not_reset(create: Create, admin: As) -> None:
    instance_id = create()["id"]
    assert admin("DELETE", f"/instances/{instance_id}").status_code == 202
    assert admin("POST", f"/instances/{instance_id}/action", {"reset_status": {}}).status_code == 202
    assert admin.get(f"/instances/{instance_id}")["instance"]["status"] == "SHUTDOWN"


def test_the_first_half_of_a_forced_delete(create: Create, member: As) -> None:
    instance_id = create()["id"]
    assert (
        member("POST", f"/instances/{instance_id}/action", {"reset_status": {"force_delete": True}}).status_code == 202
    )
    assert member("DELETE", f"/instances/{instance_id}").status_code == 202
