"""Quotas of projects, in Trove's words."""

from __future__ import annotations

import pytest
from calling import As, Ready, order
from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Event

QUOTAS = "/mgmt/quotas"


def told(who: As, project: str) -> dict[str, tuple[int, int, int]]:
    """In use, reserved and limit by resource, in the order of the answer."""
    seen = who.get(f"{QUOTAS}/{project}")["quotas"]
    return {each["resource"]: (each["in_use"], each["reserved"], each["limit"]) for each in seen}


def test_a_project_sees_its_own(ready: Ready, member: As) -> None:
    ready()
    expected = {"instances": (1, 0, 200), "backups": (0, 0, 1000), "volumes": (2, 0, 2000), "ram": (512, 0, -1)}
    assert told(member, "blue") == expected


def test_and_no_other(member: As, admin: As) -> None:
    assert member.refused("GET", f"{QUOTAS}/green")[:2] == (403, "forbidden")
    assert told(admin, "green")["instances"] == (0, 0, 200)


def test_an_administrator_sets_them(member: As, admin: As, database: Database) -> None:
    answer = admin("PUT", f"{QUOTAS}/blue", {"quotas": {"instances": 1, "ram": None, "volumes": "3"}})
    assert (answer.status_code, answer.json) == (200, {"quotas": {"instances": 1, "volumes": 3}})
    assert member("POST", "/instances", order()).status_code == 200
    assert member.refused("POST", "/instances", order())[::2] == (
        413,
        "Quota exceeded for resources: ['instances', 'volumes'].",
    )
    with database.read() as session:
        rows = session.scalars(select(Event).where(Event.kind == "dbaas.quota").order_by(Event.seq)).all()
    assert [row.payload for row in rows] == [
        {"resource": "instances", "in_use": 0, "reserved": 0, "limit": 1},
        {"resource": "volumes", "in_use": 0, "reserved": 0, "limit": 3},
    ]
    assert {(row.project_id, row.actor) for row in rows} == {("blue", "user-red-admin")}


def test_a_limit_below_what_is_held_takes_nothing_away(ready: Ready, admin: As, member: As) -> None:
    ready()
    admin("PUT", f"{QUOTAS}/blue", {"quotas": {"instances": 0, "backups": 0}})
    assert told(member, "blue")["instances"] == (1, 0, 0)
    admin("PUT", f"{QUOTAS}/blue", {"quotas": {"instances": -1}})
    assert member("POST", "/instances", order()).status_code == 200


@pytest.mark.parametrize(
    ("quotas", "status"),
    [
        ({"instances": -2}, 400),
        ({"instances": 2**31}, 400),
        ({"instances": True}, 400),
        ({"instances": "many"}, 400),
        ({"instances": 1, "shoes": 1}, 404),
    ],
)
def test_what_is_wrong_changes_nothing(member: As, admin: As, quotas: dict[str, object], status: int) -> None:
    assert admin.refused("PUT", f"{QUOTAS}/blue", {"quotas": quotas})[0] == status
    assert told(member, "blue")["instances"] == (0, 0, 200)


def test_members_set_none(member: As) -> None:
    refused = member.refused("PUT", f"{QUOTAS}/blue", {"quotas": {"instances": 9}})
    assert refused == (401, "unauthorized", "User does not have admin privileges.")
