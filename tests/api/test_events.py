"""What happened, as its owners and the operator read it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from calling import As, Create, Ready

from argosy.api.bell import Bell
from argosy.db import events
from argosy.db.session import Database
from argosy.testing.waiting import eventually


def kinds(answer: Any) -> list[str]:
    return [each["event_type"] for each in answer["events"]]


def test_a_create_is_told_with_who_asked_for_it(create: Create, member: As) -> None:
    instance = create()
    (event,) = member.get("/events")["events"]
    assert event["event_type"] == "dbaas.instance_create.start"
    assert event["seq"] == 1
    assert (event["instance_id"], event["project_id"]) == (instance["id"], "blue")
    assert (event["user_id"], event["user_project_id"]) == ("user-blue-member", "blue")
    assert event["request_id"].startswith("req-")
    assert event["payload"]["instance_name"] == "m1"
    assert event["created"].endswith("Z")


def test_reading_on(create: Create, member: As) -> None:
    for name in ("a", "b", "c"):
        create(name)
    first = member.get("/events?limit=2")
    assert [each["seq"] for each in first["events"]] == [1, 2]
    rest = member.get(f"/events?since={first['cursor']}&limit=2")
    assert [each["seq"] for each in rest["events"]] == [3]
    assert member.get(f"/events?since={rest['cursor']}") == {"events": [], "cursor": 3}


def test_of_one_instance_and_kind(create: Create, member: As) -> None:
    first, _second = create("a"), create("b")
    member("PUT", f"/instances/{first['id']}", {"instance": {"name": "c"}})
    mine = member.get(f"/events?instance={first['id']}")
    assert kinds(mine) == ["dbaas.instance_create.start", "dbaas.instance_update"]
    assert kinds(member.get("/events?kind=dbaas.instance_u")) == ["dbaas.instance_update"]
    assert kinds(member.get("/events?kind=dbaas_instance_u")) == []


def test_another_project_sees_nothing_of_it(create: Create, stranger: As) -> None:
    instance = create()
    assert stranger.get("/events")["events"] == []
    assert stranger.get(f"/events?instance={instance['id']}")["events"] == []


def test_all_projects_are_for_administrators(create: Create, member: As, admin: As, database: Database) -> None:
    create()
    with database.write() as session:
        events.tell(session, "dbaas.pool_usage", percent=91, level="warning")
    assert member.refused("GET", "/events?all_projects=true")[:2] == (403, "forbidden")
    assert kinds(admin.get("/events?all_projects=true")) == ["dbaas.instance_create.start", "dbaas.pool_usage"]
    assert kinds(admin.get("/events")) == []


def test_waiting_for_news(create: Create, member: As, bell: Bell) -> None:
    create("a")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(member.get, "/events?since=1&wait=20")
        eventually(lambda: bell.waiting or answer.done())
        create("b")
        bell.ring()
        assert [each["seq"] for each in answer.result()["events"]] == [2]


def test_with_too_many_waiting_the_answer_comes_at_once(member: As, bell: Bell) -> None:
    seats = [bell.seat() for _ in range(8)]
    assert all(seat.__enter__() for seat in seats)
    answer = member("GET", "/events?wait=20")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {"events": [], "cursor": 0}


def test_as_json_lines(create: Create, member: As) -> None:
    create("a")
    create("b")
    answer = member("GET", "/events?format=jsonl")
    assert answer.headers["Content-Type"].startswith("application/jsonl")
    assert [json.loads(line) for line in answer.text.splitlines()] == member.get("/events")["events"]


@pytest.mark.parametrize("query", ["since=x", "limit=-1", "wait=1.5"])
def test_what_is_no_number_is_refused(member: As, query: str) -> None:
    assert member.refused("GET", f"/events?{query}")[:2] == (400, "badRequest")


def test_the_end_and_the_error_are_told(ready: Ready, member: As) -> None:
    instance_id = ready()
    assert member("DELETE", f"/instances/{instance_id}").status_code == 202
    assert kinds(member.get("/events")) == ["dbaas.instance_create.start", "dbaas.instance_delete.start"]
