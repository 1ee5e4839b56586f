"""Logs through the API; their text comes from a guest that a test speaks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from calling import As, Create, Ready
from guests import answering

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import DatastoreVersion, GuestLog, Instance, LogObject, Parameter
from argosy.db.tables import Guest as GuestRow
from argosy.settings import Settings
from argosy.stores import deployment

TEXT = b"one line\nand another\n"
Change = Callable[..., dict[str, Any]]


class Guest:
    """One whose only settings are those of its logs."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.overrides: Mapping[str, Any] = {}
        self.late = False
        self.text = TEXT
        self.news = b""
        """what is logged after the next look"""
        self.nonsense: Any = None
        """what it says of its logs"""

    def logs(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        if self.nonsense is not None:
            return {"logs": self.nonsense}
        on = not self.late and self.overrides.get("log_statement") == "all"
        told = {"start": 0, "end": len(self.text), "digest": "d" * 32}
        return {"logs": {"general": {**told, "on": on}, "error": {**told, "on": True}, "guest": {**told, "on": True}}}

    def configure(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.overrides = asked["overrides"]
        return {"restart_required": self.late}

    def read(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        piece = self.text[asked["offset"] :][: asked["limit"]]
        after, end = asked["offset"] + len(piece), len(self.text)
        self.text, self.news = self.text + self.news, b""
        return {"offset": asked["offset"], "next": after, "start": 0, "end": end, "text": piece.decode()}

    def publish(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """And the conductor that takes it."""
        name = f"log-{asked['first']:020d}"
        with deployment.store(self.settings).create(asked["place"] + name) as out:
            out.write(self.text[asked["first"] :])
        instance = asked["place"].split("/")[1]
        row = LogObject(instance_id=instance, log=asked["log"], name=name, place=asked["place"], bytes=1, lines=2)
        row.created = 0.0
        with self.database.write() as session:
            session.merge(row)
        return {"until": asked["until"], "objects": 1}


@pytest.fixture
def guest(settings: Settings, database: Database, bell: Bell) -> Iterator[Guest]:
    made = Guest(settings, database)
    verbs = {
        "logs": made.logs,
        "configure": made.configure,
        "read_log": made.read,
        "publish_log": made.publish,
    }
    with answering(settings, database, bell, verbs):
        yield made


@pytest.fixture
def instance(ready: Ready, database: Database) -> str:
    instance_id = ready()
    with database.write() as session:
        session.get_one(GuestRow, instance_id).connected = True
    return instance_id


@pytest.fixture
def change(member: As, instance: str) -> Change:
    def change(name: str, **doing: int) -> dict[str, Any]:
        answer = member("POST", f"/instances/{instance}/log", {"name": name, **doing})
        assert answer.status_code == 200, answer.text
        return dict(answer.json["log"])

    return change


def test_the_list(member: As, admin: As, instance: str, guest: Guest) -> None:
    assert guest.text
    logs = {each["name"]: each for each in member.get(f"/instances/{instance}/log")["logs"]}
    assert {name: each["type"] for name, each in logs.items()} == {
        "general": "USER", "slow_query": "USER", "error": "SYS"
    }  # fmt: skip
    assert logs["general"] == {
        "name": "general", "type": "USER", "status": "Disabled", "published": 0, "pending": len(TEXT),
        "container": "None", "prefix": "None", "metafile": f"{instance}/postgresql-general_metafile",
    }  # fmt: skip
    assert logs["error"]["status"] == "Ready"
    assert logs["slow_query"]["status"] == "Unavailable"
    seen = admin.get(f"/instances/{instance}/log")["logs"]
    assert [each["name"] for each in seen if each["name"] == "guest"] == ["guest"]


def test_of_a_guest_that_is_not_there(create: Create, member: As) -> None:
    logs = member.get(f"/instances/{create()['id']}/log")["logs"]
    assert {each["status"] for each in logs} == {"Unavailable"}


@pytest.mark.usefixtures("guest")
def test_switched_published_discarded(change: Change, guest: Guest, instance: str) -> None:
    assert change("general", enable=1)["status"] == "Ready"
    assert guest.overrides == {"log_statement": "all"}
    published = change("general", publish=1)
    assert (published["status"], published["published"], published["pending"]) == ("Published", len(TEXT), 0)
    assert (published["container"], published["prefix"]) == ("database_logs", f"{instance}/postgresql-general/")
    guest.text += b"more\n"
    assert change("general")["status"] == "Partial"
    assert change("general", publish=1)["published"] == len(TEXT) + 5
    gone = change("general", disable=1, discard=1)
    assert (gone["status"], gone["container"], gone["published"]) == ("Disabled", "None", 0)
    assert guest.overrides == {"log_statement": "none"}


def test_publishing_enables(change: Change, guest: Guest) -> None:
    change("general", publish=1)
    assert guest.overrides == {"log_statement": "all"}


def test_what_always_is_written_can_be_published(change: Change, guest: Guest) -> None:
    assert change("error", publish=1)["status"] == "Published"
    assert guest.overrides == {}


def test_a_restart_that_is_needed_is_told(change: Change, guest: Guest, instance: str, member: As) -> None:
    guest.late = True
    assert change("general", enable=1)["status"] == "Restart Required"
    assert member.get(f"/instances/{instance}")["instance"]["status"] == "RESTART_REQUIRED"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "general", "enable": 1, "disable": 1}, 400),
        ({"name": "general", "publish": 1, "disable": 1}, 400),
        ({"name": "error", "disable": 1}, 400),
        ({"name": "general", "enable": True}, 400),
        ({"name": "general", "enable": 2}, 400),
        ({"enable": 1}, 400),
        ({"name": "other", "enable": 1}, 404),
        ({"name": "guest"}, 403),
        ({"name": "guest", "publish": 1}, 403),
    ],
)
def test_what_is_refused_leaves_nothing(member: As, instance: str, body: Any, status: int, database: Database) -> None:
    assert member.refused("POST", f"/instances/{instance}/log", body)[0] == status
    with database.read() as session:
        assert session.query(GuestLog).count() == 0


def test_while_something_else_is_done(member: As, instance: str, database: Database) -> None:
    with database.write() as session:
        session.get_one(Instance, instance).task = "REBOOTING"
    assert member.refused("POST", f"/instances/{instance}/log", {"name": "general", "enable": 1})[0] == 422


def test_what_an_operator_has_locked_stays(member: As, instance: str, database: Database) -> None:
    with database.write() as session:
        version = session.get_one(DatastoreVersion, session.get_one(Instance, instance).version_id)
        session.add(Parameter(version_id=version.id, name="log_statement", baseline="none", locked=True))
    assert member.refused("POST", f"/instances/{instance}/log", {"name": "general", "enable": 1})[0] == 403


def test_another_projects_logs_are_not_found(stranger: As, instance: str) -> None:
    for path in ("log", "log/error", "log/error/objects", "log/error/objects/log-1"):
        assert stranger.refused("GET", f"/instances/{instance}/{path}")[0] == 404
    assert stranger.refused("POST", f"/instances/{instance}/log", {"name": "error", "publish": 1})[0] == 404


@pytest.mark.usefixtures("guest")
def test_text_is_read_piece_by_piece(member: As, instance: str) -> None:
    seen = member.get(f"/instances/{instance}/log/error?limit=9")["log"]
    assert (seen["text"], seen["next"], seen["end"]) == ("one line\n", 9, len(TEXT))
    rest = member.get(f"/instances/{instance}/log/error?offset={seen['next']}")["log"]
    assert rest["text"] == "and another\n"


def test_the_answer_waits_for_text(member: As, instance: str, guest: Guest) -> None:
    guest.news = b"news\n"
    seen = member.get(f"/instances/{instance}/log/error?offset={len(TEXT)}&wait=10")["log"]
    assert seen["text"] == "news\n"


@pytest.mark.parametrize("query", ["offset=x", "limit=0", "wait=-1", "limit=1.5"])
def test_a_query_that_makes_no_sense(member: As, instance: str, query: str) -> None:
    assert member.refused("GET", f"/instances/{instance}/log/error?{query}")[0] == 400


@pytest.mark.usefixtures("guest")
def test_published_parts_are_listed_and_read(member: As, instance: str, change: Change) -> None:
    change("error", publish=1)
    listed = member.get(f"/instances/{instance}/log/error/objects")
    assert listed["container"] == "database_logs"
    (part,) = listed["objects"]
    answer = member("GET", f"/instances/{instance}/log/error/objects/{part['name']}")
    assert answer.text.encode() == TEXT
    assert answer.headers["X-Object-Meta-Lines"] == "2"
    assert member.refused("GET", f"/instances/{instance}/log/error/objects/../../x")[0] == 404


def test_a_silent_guest_says_so(member: As, instance: str) -> None:
    assert member.refused("GET", f"/instances/{instance}/log/error")[0] == 503


@pytest.mark.parametrize(
    "told", [[], {}, {"general": None}, {"general": {"start": "x", "end": 1, "digest": ""}}, {"general": {"start": 5}}]
)
def test_a_guest_that_talks_nonsense_harms_nobody(member: As, instance: str, guest: Guest, told: Any) -> None:
    guest.nonsense = told
    assert {each["status"] for each in member.get(f"/instances/{instance}/log")["logs"]} == {"Unavailable"}
    assert member.refused("POST", f"/instances/{instance}/log", {"name": "general", "publish": 1})[0] == 400
