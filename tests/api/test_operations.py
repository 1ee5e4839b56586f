"""Operations: the timeline, and waiting for news of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from calling import As, Create, Ready

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Command, Run, RunStep
from argosy.testing.waiting import eventually


def test_the_timeline(create: Create, member: As, database: Database) -> None:
    instance_id = create()["id"]
    with database.write() as session:
        run = session.query(Run).one()
        run.created, run.note, run.fault = 1000.0, "the volume is being made", ""
        session.query(RunStep).delete()
        done = RunStep(run_id=run.id, position=0, name="template", state="done", started=1000.0, ended=1000.25)
        waiting = RunStep(run_id=run.id, position=1, name="volume", state="waiting", started=1000.25)
        done.attempts, waiting.attempts, waiting.note, waiting.error = 1, 3, "the volume is being made", "pool busy"
        session.add_all([done, waiting])
    body = member.get(f"/instances/{instance_id}/operations")
    assert body["operations"] == [
        {
            "id": run.id,
            "operation": "create_instance",
            "state": "active",
            "started": "1970-01-01T00:16:40",
            "waiting_for": "the volume is being made",
            "steps": [
                {
                    "name": "template",
                    "state": "done",
                    "started": "1970-01-01T00:16:40",
                    "ended": "1970-01-01T00:16:40",
                    "seconds": 0.25,
                    "attempts": 1,
                },
                {
                    "name": "volume",
                    "state": "waiting",
                    "started": "1970-01-01T00:16:40",
                    "attempts": 3,
                    "waiting_for": "the volume is being made",
                    "error": "pool busy",
                },
            ],
        }
    ]


def test_an_operation_that_failed_says_why(create: Create, member: As, database: Database) -> None:
    instance_id = create()["id"]
    with database.write() as session:
        run = session.query(Run).one()
        run.state, run.fault, run.ended = "failed", "the pool is full", run.created + 2
    (seen,) = member.get(f"/instances/{instance_id}/operations")["operations"]
    assert (seen["state"], seen["error"], seen["seconds"]) == ("failed", "the pool is full", 2.0)
    assert "waiting_for" not in seen


def test_newest_first(ready: Ready, member: As) -> None:
    instance_id = ready()
    member("POST", f"/instances/{instance_id}/action", {"restart": {}})
    member("DELETE", f"/instances/{instance_id}")
    seen = member.get(f"/instances/{instance_id}/operations")["operations"]
    assert seen[0]["operation"] == "delete_instance"
    assert len(member.get(f"/instances/{instance_id}/operations?limit=1")["operations"]) == 1


def test_no_secret_of_the_operation_is_told(create: Create, member: As) -> None:
    made = create()
    assert made["password"] not in member("GET", f"/instances/{made['id']}/operations").text


def test_waiting_ends_with_the_news(create: Create, member: As, database: Database, bell: Bell) -> None:
    path = f"/instances/{create()['id']}/operations"
    cursor = member.get(path)["cursor"]
    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        waiting = pool.submit(member.get, f"{path}?since={cursor}&wait=20")
        eventually(lambda: bell.waiting == 1)
        with database.write() as session:
            session.query(Run).one().note = "news"
        bell.ring()
        body = waiting.result()
    assert body["operations"][0]["waiting_for"] == "news"
    assert body["cursor"] != cursor
    assert time.monotonic() - begun < 10


def test_waiting_ends_also_when_the_ring_was_lost(create: Create, member: As, database: Database, bell: Bell) -> None:
    path = f"/instances/{create()['id']}/operations"
    cursor = member.get(path)["cursor"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(member.get, f"{path}?since={cursor}&wait=20")
        eventually(lambda: bell.waiting == 1)
        with database.write() as session:
            session.query(Run).one().note = "news"
        assert waiting.result()["cursor"] != cursor


def test_time_alone_is_no_news(create: Create, member: As, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate of work that is stuck falls, and its end comes nearer never: nobody is woken for that."""
    path = f"/instances/{create()['id']}/operations"
    with database.write() as session:
        run, now = session.query(Run).one(), 1000.0
        order = Command(id=f"{run.id}/guest/prepare/x", guest_id="x", run_id=run.id, verb="prepare", created=now)
        order.done, order.total, order.unit = 10_000_000, 40_000_000, "bytes"
        session.add(order)
    seen = []
    for seconds in (10, 20):
        monkeypatch.setattr("argosy.clock.now", lambda: now + seconds)  # noqa: B023 - called before the next one
        seen.append(member.get(path))
    first, second = (each["operations"][0]["progress"] for each in seen)
    assert (first["per_second"], second["per_second"]) == (1_000_000, 500_000)
    assert seen[0]["cursor"] == seen[1]["cursor"]
    with database.write() as session:
        session.query(Command).one().done += 1
    assert member.get(path)["cursor"] != seen[0]["cursor"]


def test_waiting_without_news_ends_in_time(create: Create, member: As) -> None:
    path = f"/instances/{create()['id']}/operations"
    cursor = member.get(path)["cursor"]
    begun = time.monotonic()
    assert member.get(f"{path}?since={cursor}&wait=1")["cursor"] == cursor
    assert 0.9 < time.monotonic() - begun < 5


@pytest.mark.parametrize("query", ["", "?wait=20", "?since=elder&wait=20", "?since=elder"])
def test_what_needs_no_waiting_does_not_wait(create: Create, member: As, query: str) -> None:
    path = f"/instances/{create()['id']}/operations"
    begun = time.monotonic()
    member.get(f"{path}{query}")
    assert time.monotonic() - begun < 2


def test_only_so_many_wait(create: Create, member: As, bell: Bell) -> None:
    path = f"/instances/{create()['id']}/operations"
    cursor = member.get(path)["cursor"]
    wait = f"{path}?since={cursor}&wait=20"
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(member.get, wait) for _ in range(8)]
        eventually(lambda: bell.waiting == 8)
        crowded = member("GET", wait)
        assert (crowded.status_code, crowded.headers["retry-after"]) == (200, "1")
        bell.close()
        assert {each.result()["cursor"] for each in waiting} == {cursor}


@pytest.mark.parametrize("wait", ["x", "-1", "1.5"])
def test_nonsense_is_refused(create: Create, member: As, wait: str) -> None:
    assert member.refused("GET", f"/instances/{create()['id']}/operations?since=a&wait={wait}")[0] == 400


def test_a_ring_between_look_and_pause_is_heard() -> None:
    """The lost wake-up: whoever rings while we look must not have rung for nothing."""
    bell, looks = Bell(), []

    def look() -> int:
        looks.append(threading.get_ident())
        if len(looks) == 1:
            bell.ring()
        return len(looks)

    begun = time.monotonic()
    assert bell.until(look, lambda seen: seen == 2, 20) == 2
    assert time.monotonic() - begun < 0.4


def test_cancelled(create: Create, member: As, stranger: As, database: Database) -> None:
    """What can be stopped is asked to stop; what cannot, and what has ended, is not."""
    instance = create()["id"]
    (operation,) = member.get(f"/instances/{instance}/operations")["operations"]
    path = f"/instances/{instance}/operations/{operation['id']}/cancel"
    assert stranger.refused("POST", path)[0] == 404
    assert member("POST", path).status_code == 202
    with database.write() as session:
        run = session.get_one(Run, operation["id"])
        assert run.cancelled
        run.state = "done"
    assert member.refused("POST", path)[:2] == (422, "unprocessableEntity")
    with database.write() as session:
        run = session.get_one(Run, operation["id"])
        run.state, run.workflow = "active", "delete_instance"
    assert member.refused("POST", path)[0] == 422
    assert member.refused("POST", f"/instances/{instance}/operations/x/cancel")[0] == 404
