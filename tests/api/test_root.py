"""The master user."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import falcon.testing
import pytest
from calling import As, Create, Ready

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Guest, Lock, Run
from argosy.testing.waiting import eventually


def under_way(database: Database) -> Run | None:
    with database.read() as session:
        return session.query(Run).filter_by(workflow="reset_master", state="active").one_or_none()


def end(database: Database, bell: Bell, state: str, fault: str = "") -> str:
    """End the reset as the task manager would; the password that it was to set."""
    run = eventually(lambda: under_way(database))
    with database.write() as session:
        session.get_one(Run, run.id).state = state
        session.get_one(Run, run.id).fault = fault
        session.query(Lock).delete()
    bell.ring()
    return str(run.memory["password"])


def ask(pool: ThreadPoolExecutor, member: As, instance_id: str, body: Any = None) -> Future[falcon.testing.Result]:
    return pool.submit(member, "POST", f"/instances/{instance_id}/root", body)


@pytest.mark.parametrize("body", [None, {}, b""])
def test_a_new_password_is_told_when_it_is_good(
    ready: Ready, member: As, database: Database, bell: Bell, body: object
) -> None:
    instance_id = ready()
    with ThreadPoolExecutor(1) as pool:
        answer = ask(pool, member, instance_id, body)
        password = end(database, bell, "done")
    assert len(password) == 36
    assert answer.result().json == {"user": {"name": "root", "password": password}}
    assert answer.result().status_code == 200
    assert member.get(f"/instances/{instance_id}/root") == {"rootEnabled": True}


def test_a_password_of_ones_own(ready: Ready, member: As, database: Database, bell: Bell) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = ask(pool, member, ready(), {"password": "mine, all mine"})
        assert end(database, bell, "done") == "mine, all mine"
    assert answer.result().json["user"]["password"] == "mine, all mine"


def test_what_went_wrong_in_the_guest_is_told(ready: Ready, member: As, database: Database, bell: Bell) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = ask(pool, member, ready())
        end(database, bell, "failed", "the server said no")
    assert answer.result().json == {"badRequest": {"code": 400, "message": "the server said no"}}


def test_told_with_the_answer_to_create(ready: Ready, member: As) -> None:
    assert member.get(f"/instances/{ready()}/root") == {"rootEnabled": True}


def test_never_asked_for(ready: Ready, member: As) -> None:
    users = [{"name": "joe", "password": "pw"}]
    assert member.get(f"/instances/{ready(users=users)}/root") == {"rootEnabled": False}


def test_while_building(create: Create, member: As) -> None:
    assert member.refused("POST", f"/instances/{create()['id']}/root")[:2] == (422, "unprocessableEntity")


def test_while_the_server_is_down(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.get_one(Guest, instance_id).health = "down"
    assert member.refused("POST", f"/instances/{instance_id}/root")[:2] == (422, "unprocessableEntity")


@pytest.mark.parametrize("body", [{"password": ""}, {"password": 5}, {"password": " x"}, {"password": "a\x00"}])
def test_a_bad_password(ready: Ready, member: As, body: object) -> None:
    assert member.refused("POST", f"/instances/{ready()}/root", body)[:2] == (400, "badRequest")


def test_with_too_many_waiting_nothing_is_begun(ready: Ready, member: As, database: Database, bell: Bell) -> None:
    instance_id = ready()
    seats = [bell.seat() for _ in range(8)]
    assert all(seat.__enter__() for seat in seats)
    assert member.refused("POST", f"/instances/{instance_id}/root")[:2] == (503, "serviceUnavailable")
    assert under_way(database) is None
