"""A create request that is sent again finds what the first one made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from calling import As, Create, order
from sqlalchemy import text

from argosy.db.session import Database
from argosy.db.tables import Instance

TOKEN = {"client_token": "t-1"}


def count(member: As) -> int:
    return len(member.get("/instances")["instances"])


def test_asked_again_it_is_the_same_and_tells_no_password(create: Create, member: As) -> None:
    first = create(**TOKEN)
    again = member("POST", "/instances", order(**TOKEN))
    assert again.status_code == 200
    assert again.json["instance"]["id"] == first["id"]
    assert "password" in first
    assert "password" not in again.json["instance"]
    assert count(member) == 1


def test_the_header_is_as_good(create: Create, member: As) -> None:
    first = create(**TOKEN)
    again = member("POST", "/instances", order(), headers={"X-Client-Token": "t-1"})
    assert again.json["instance"]["id"] == first["id"]


def test_the_same_token_for_another_request_is_a_conflict(create: Create, member: As) -> None:
    first = create(**TOKEN)
    status, key, message = member.refused("POST", "/instances", order(name="m2", **TOKEN))
    assert (status, key) == (409, "conflict")
    assert first["id"] in message
    assert count(member) == 1


def test_another_project_has_tokens_of_its_own(create: Create, stranger: As) -> None:
    first = create(**TOKEN)
    other = stranger("POST", "/instances", order(**TOKEN))
    assert other.status_code == 200
    assert other.json["instance"]["id"] != first["id"]


def test_without_a_token_there_are_two(create: Create, member: As) -> None:
    create()
    create()
    assert count(member) == 2


def test_sent_many_times_at_once_it_makes_one(member: As, database: Database) -> None:
    together = Barrier(6)

    def send(_number: int) -> str:
        together.wait()
        answer = member("POST", "/instances", order(**TOKEN))
        assert answer.status_code == 200, answer.text
        return str(answer.json["instance"]["id"])

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(send, range(6)))) == 1
    with database.read() as session:
        assert session.execute(text("SELECT used FROM quota_uses WHERE resource = 'instances'")).scalar() == 1
        assert session.execute(text("SELECT COUNT(*) FROM events")).scalar() == 1


def test_what_was_asked_for_cannot_be_guessed_from_what_is_kept(create: Create, database: Database) -> None:
    made = create(users=[{"name": "joe", "password": "pw"}], **TOKEN)
    with database.read() as session:
        assert len(session.get_one(Instance, made["id"]).client_digest or "") == 64


@pytest.mark.parametrize("token", ["", "x" * 65, "a\n", 5])
def test_what_is_no_token(member: As, token: object) -> None:
    answer = member("POST", "/instances", order(client_token=token))
    assert answer.status_code == (200 if token == "" else 400)
