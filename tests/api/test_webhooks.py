"""Webhooks, as their owners keep them."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Create
from sqlalchemy import text

from argosy.db.session import Database
from argosy.db.tables import Webhook

URL = "https://receiver.example/hook"


def make(member: As, **more: Any) -> dict[str, Any]:
    answer = member("POST", "/webhooks", {"webhook": {"url": URL, **more}})
    assert answer.status_code == 200, answer.text
    return dict(answer.json["webhook"])


def test_from_create_to_delete(member: As) -> None:
    made = make(member, kinds=["dbaas.instance_"])
    assert len(made.pop("secret")) == 36
    assert made["state"] == "active"
    assert made["kinds"] == ["dbaas.instance_"]
    assert member.get("/webhooks") == {"webhooks": [made]}
    assert member.get(f"/webhooks/{made['id']}") == {"webhook": made}
    assert member("DELETE", f"/webhooks/{made['id']}").status_code == 204
    assert member.get("/webhooks") == {"webhooks": []}
    told = member.get("/events?kind=dbaas.webhook")["events"]
    assert [each["event_type"] for each in told] == ["dbaas.webhook_create", "dbaas.webhook_delete"]
    assert told[0]["payload"] == {"webhook_id": made["id"], "url": URL}


def test_it_is_told_of_what_comes_after_it(create: Create, member: As) -> None:
    create()
    assert make(member)["position"] == member.get("/events")["cursor"] - 1


def test_the_secret_is_told_once_and_rests_sealed(member: As, database: Database) -> None:
    made = make(member)
    assert "secret" not in member.get(f"/webhooks/{made['id']}")["webhook"]
    with database.read() as session:
        kept = session.execute(text("SELECT secret FROM webhooks")).scalar_one()
        assert session.get_one(Webhook, made["id"]).secret == made["secret"]
    assert made["secret"].encode() not in bytes(kept)
    answer = member("PUT", f"/webhooks/{made['id']}", {"webhook": {"rotate_secret": True}}).json["webhook"]
    assert answer["secret"] != made["secret"]


def test_a_failing_one_is_resumed_where_it_stood(member: As, database: Database) -> None:
    hook = make(member)["id"]
    with database.write() as session:
        row = session.get_one(Webhook, hook)
        row.state, row.failures, row.fault, row.failing_since = "failing", 9, "receiver.example answered 500", 1000.0
        position = row.position
    shown = member.get(f"/webhooks/{hook}")["webhook"]
    assert shown["fault"] == {"message": "receiver.example answered 500", "created": "1970-01-01T00:16:40"}
    resumed = member("PUT", f"/webhooks/{hook}", {"webhook": {"state": "active"}}).json["webhook"]
    assert (resumed["state"], resumed["failures"], resumed["position"]) == ("active", 0, position)


def test_another_projects_is_not_there(member: As, stranger: As) -> None:
    hook = make(member)["id"]
    for method, body in (("GET", None), ("PUT", {"webhook": {"state": "paused"}}), ("DELETE", None)):
        assert stranger.refused(method, f"/webhooks/{hook}", body)[:2] == (404, "itemNotFound")
    assert stranger.get("/webhooks") == {"webhooks": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://a"},
        {"url": "http://a:b@c"},
        {"url": "http://169.254.169.254/latest"},
        {"url": "http://[::1]/"},
        {"url": URL, "kinds": ["nothing.begins.so"]},
        {"url": URL, "kinds": "dbaas"},
        {"url": URL, "secret": "mine"},
    ],
)
def test_what_is_refused(member: As, body: dict[str, Any]) -> None:
    assert member.refused("POST", "/webhooks", {"webhook": body})[:2] == (400, "badRequest")
    assert member.get("/webhooks") == {"webhooks": []}


def test_a_project_has_so_many_at_most(member: As) -> None:
    for _number in range(20):
        make(member)
    assert member.refused("POST", "/webhooks", {"webhook": {"url": URL}})[:2] == (413, "overLimit")
