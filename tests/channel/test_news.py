"""What guests become is told in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from argosy import clock
from argosy.conductor import claims, news, records
from argosy.conductor.records import Beat, Joined, Report
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import Event, Guest, Instance
from argosy.guest import enrolment
from argosy.guest.enrolment import Known
from argosy.model import wire
from argosy.model.guest import TAKEN_BACK
from argosy.testing import databases
from argosy.testing.databases import Server
from argosy.workflows import overrides

GUEST, BUILDER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture(autouse=True, scope="module")
def _key(tmp_path_factory: pytest.TempPathFactory) -> None:
    key: Path = tmp_path_factory.mktemp("keys") / "master.key"
    sealed.make(key)
    sealed.use(key)


@pytest.fixture(scope="module", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    with server.fresh() as database:
        with database.write() as session:
            for guest in (GUEST, BUILDER):
                enrolment.expect(session, guest, 1)
            instance = Instance(id=GUEST, project_id="p", name="m1", version_id="v", flavor_id="1", region="r")
            instance.ram, instance.gigabytes, instance.created, instance.updated = 256, 1, 0.0, 0.0
            session.add(instance)
        write(database, GUEST, Joined("b", "0.1", 1))
        write(database, BUILDER, Joined("b", "0.1", 1))
        yield database


def write(database: Database, guest: str, said: Joined | Beat) -> None:
    with database.write() as session:
        records.write(session, [Report(Known(guest, 1), said)])


def beat(seq: int, health: str, message: str = "") -> Beat:
    return Beat(claims.beat(wire.Heartbeat("b", seq, health, message)), changes=True)


def told(database: Database) -> list[tuple[str, object]]:
    with database.read() as session:
        rows = session.scalars(select(Event).order_by(Event.seq))
        return [(row.kind.removeprefix("dbaas."), row.payload.get("health")) for row in rows]


def test_a_change_of_health_is_told_once(database: Database) -> None:
    for seq, health in enumerate(("starting", "healthy", "healthy", "blocked", "starting", "healthy"), 1):
        write(database, GUEST, beat(seq, health))
    assert told(database) == [("instance_health", each) for each in ("healthy", "blocked", "healthy")]


def test_it_carries_the_servers_words_and_whose_it_is(database: Database) -> None:
    write(database, GUEST, beat(1, "failed", "FATAL: no"))
    with database.read() as session:
        event = session.scalars(select(Event)).one()
    assert (event.project_id, event.instance_id, event.actor) == ("p", GUEST, "")
    assert event.payload["message"] == "FATAL: no"
    assert event.payload["was"] == "unknown"


def test_an_old_heartbeat_tells_nothing(database: Database) -> None:
    write(database, GUEST, beat(5, "healthy"))
    write(database, GUEST, beat(4, "failed"))
    assert told(database) == [("instance_health", "healthy")]


def test_who_builds_a_template_is_no_news(database: Database) -> None:
    write(database, BUILDER, beat(1, "healthy"))
    assert told(database) == []


def test_who_is_not_heard_of_is_told_lost_once_and_returned_once(database: Database) -> None:
    for ago in (5, 100, 100, 0, 0, -100):
        with database.write() as session:
            for guest in (GUEST, BUILDER):
                session.get_one(Guest, guest).seen_at = clock.now() - ago
            session.flush()
            news.look(session, 30)
    assert [kind for kind, _ in told(database)] == ["guest_lost", "guest_returned", "guest_lost"]


def test_settings_that_a_crash_has_taken_back_are_told_once(database: Database) -> None:
    notice = f"work_mem = 1 {TAKEN_BACK}: FATAL"
    for seq, message in enumerate(("", notice, f"{notice}; more", notice), 1):
        write(database, GUEST, beat(seq, "healthy", message))
    assert [kind for kind, _ in told(database)].count("configuration_taken_back") == 1
    with database.read() as session:
        assert session.get_one(Instance, GUEST).fault == notice


def test_an_operation_tells_of_such_settings_itself(database: Database) -> None:
    notice = f"work_mem = 1 {TAKEN_BACK}: FATAL"
    with database.write() as session:
        overrides.note(session, GUEST, notice)
    write(database, GUEST, beat(1, "healthy", notice))
    with database.write() as session:
        overrides.note(session, GUEST, notice)
        session.get_one(Instance, GUEST).task = "RESTARTING"
    write(database, GUEST, beat(2, "healthy", ""))
    write(database, GUEST, beat(3, "healthy", f"another {TAKEN_BACK}"))
    assert [kind for kind, _ in told(database)].count("configuration_taken_back") == 1
