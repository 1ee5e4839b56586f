"""Actions."""

from __future__ import annotations

import pytest
from calling import As, Create, Ready

from argosy.db.session import Database
from argosy.db.tables import Run


@pytest.mark.parametrize("body", [{"restart": {}}, {"restart": None}])
def test_restart_shows_before_it_is_answered(ready: Ready, member: As, body: object) -> None:
    instance_id = ready()
    answer = member("POST", f"/instances/{instance_id}/action", body)
    assert (answer.status_code, answer.content) == (202, b"")
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["operating_status"]) == ("REBOOT", "")


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
        ({"resize": {"volume": {"size": 3}}}, 501),
        ({"resize": {"flavorRef": "3"}}, 501),
        ({"reset_status": {}}, 403),
    ],
)
def test_refused(ready: Ready, member: As, body: object, status: int) -> None:
    instance_id = ready()
    assert member.refused("POST", f"/instances/{instance_id}/action", body)[0] == status
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "ACTIVE"


def test_the_first_half_of_a_forced_delete(create: Create, member: As) -> None:
    instance_id = create()["id"]
    assert (
        member("POST", f"/instances/{instance_id}/action", {"reset_status": {"force_delete": True}}).status_code == 202
    )
    assert member("DELETE", f"/instances/{instance_id}").status_code == 202
