"""What is written of guests, on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.conductor import claims, records
from argosy.conductor.intake import Intake
from argosy.conductor.records import Beat, Joined, Left, Report
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import Command, Guest
from argosy.guest import calls, enrolment, mailbox
from argosy.guest.enrolment import Known
from argosy.model import wire
from argosy.testing import databases
from argosy.testing.databases import Server

GUEST = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
ME = Known(GUEST, 1)


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
            enrolment.expect(session, GUEST, 1)
            enrolment.expect(session, OTHER, 1)
        yield database


def write(database: Database, *said: Any, known: Known = ME) -> None:
    with database.write() as session:
        records.write(session, [Report(known, each) for each in said])


def row(database: Database, guest: str = GUEST) -> Guest:
    with database.read() as session:
        return session.get_one(Guest, guest)


def beat(seq: int, health: str = "healthy", boot: str = "b1", **claimed: Any) -> Beat:
    return Beat(claims.beat(wire.Heartbeat(boot, seq, health, **claimed)), changes=True)


def command(database: Database, name: str = "c", guest: str = GUEST, **arguments: Any) -> None:
    with database.write() as session:
        mailbox.send(session, Command(id=name, guest_id=guest, verb="noop", arguments=arguments))


def test_a_heartbeat_is_written_whole(database: Database) -> None:
    write(database, Joined("b1", "0.1", 1), beat(1, message="m", version="15.18", volume_used=2, metrics={"a": 1.5}))
    seen = row(database)
    assert (seen.health, seen.message, seen.version, seen.volume_used) == ("healthy", "m", "15.18", 2)
    assert (seen.metrics, seen.connected, seen.agent, seen.protocol) == ({"a": 1.5}, True, "0.1", 1)
    assert seen.seen_at == pytest.approx(seen.health_at, abs=5)


def test_only_a_newer_heartbeat_of_the_boot_that_said_hello_counts(database: Database) -> None:
    write(database, Joined("b1", "0.1", 1), beat(5))
    for stale in (beat(5, "failed"), beat(4, "failed"), beat(99, "failed", boot="b0")):
        write(database, stale)
    assert row(database).health == "healthy"
    write(database, Joined("b2", "0.1", 1), beat(1, "blocked", boot="b2"))
    assert row(database).health == "blocked"


def test_the_same_boot_goes_on_counting_after_a_reconnect(database: Database) -> None:
    write(database, Joined("b1", "0.1", 1), beat(5), Left("b1"))
    write(database, Joined("b1", "0.1", 1), beat(4, "failed"))
    assert (row(database).seq, row(database).health) == (5, "healthy")


def test_health_at_is_when_health_changed(database: Database) -> None:
    write(database, Joined("b1", "0.1", 1), beat(1))
    with database.write() as session:
        session.get_one(Guest, GUEST).health_at = 1.0
    write(database, beat(2))
    assert row(database).health_at == 1.0
    write(database, beat(3, "down"))
    assert row(database).health_at != 1.0


def test_an_older_generation_writes_nothing(database: Database) -> None:
    with database.write() as session:
        enrolment.expect(session, GUEST, 2)
    command(database)
    write(database, Joined("b1", "0.1", 1), beat(1), wire.Answer("c", {}), wire.Progress("c", 1))
    assert (row(database).boot, row(database).connected) == ("", False)
    with database.read() as session:
        assert not session.get_one(Command, "c").answered


def test_only_a_change_of_health_rings(database: Database) -> None:
    rung: list[set[str]] = []
    database.ring = rung.append
    write(database, Joined("b1", "0.1", 1), Beat(claims.beat(wire.Heartbeat("b1", 1, "healthy")), changes=False))
    assert rung == []
    write(database, beat(2, "down"))
    assert rung == [{"api"}]


def test_guests_of_a_dead_conductor_are_not_connected(database: Database) -> None:
    write(database, Joined("b1", "0.1", 1))
    with database.write() as session:
        records.silence(session, 60)
    assert row(database).connected
    with database.write() as session:
        session.get_one(Guest, GUEST).seen_at = 1.0
        session.flush()
        records.silence(session, 60)
    assert not row(database).connected


def test_what_cannot_be_written_does_not_take_the_others_along(database: Database) -> None:
    """Past the claims' cutting, straight into the intake: the database itself refuses."""

    async def report() -> tuple[bool, bool]:
        intake = Intake(database)
        loop = asyncio.get_running_loop()
        bad, good = loop.create_future(), loop.create_future()
        intake.add(Report(Known(OTHER, 1), Beat({"boot": object()}, changes=False), bad))
        intake.add(Report(ME, Joined("b1", "0.1", 1)))
        intake.add(Report(ME, beat(1)))
        intake.add(Report(ME, wire.Answer("c", {}), good))
        await intake.close()
        return bad.result(), good.result()

    command(database)
    assert asyncio.run(report()) == (False, True)
    assert row(database).health == "healthy"


def test_a_guest_proves_itself_step_by_step(database: Database) -> None:
    request = wire.Enrol(GUEST, 1, enrolment.token(GUEST, 1))
    with database.write() as session:
        lost = enrolment.enrol(session, request).credential
        kept = enrolment.enrol(session, request).credential
    with database.write() as session:
        with pytest.raises(errors.Unauthorized):
            enrolment.recognise(session, lost)
        assert enrolment.recognise(session, kept) == (ME, True)
        enrolment.confirm(session, ME, kept)
        assert enrolment.recognise(session, kept) == (ME, False)
        with pytest.raises(errors.Unauthorized):
            enrolment.enrol(session, request)


def test_the_old_credential_is_good_until_the_new_one_is_used(database: Database) -> None:
    with database.write() as session:
        old = enrolment.enrol(session, wire.Enrol(GUEST, 1, enrolment.token(GUEST, 1))).credential
        enrolment.confirm(session, ME, old)
        new = enrolment.rotate(session, ME).credential
    with database.write() as session:
        assert enrolment.recognise(session, old) == (ME, False)
        assert enrolment.recognise(session, new) == (ME, True)
        enrolment.confirm(session, ME, new)
    with database.write() as session:
        assert enrolment.recognise(session, new) == (ME, False)
        with pytest.raises(errors.Unauthorized):
            enrolment.recognise(session, old)


def test_a_rebuild_forgets_everything_an_older_generation_proved(database: Database) -> None:
    with database.write() as session:
        old = enrolment.enrol(session, wire.Enrol(GUEST, 1, enrolment.token(GUEST, 1))).credential
        enrolment.confirm(session, ME, old)
        enrolment.expect(session, GUEST, 1)
        assert enrolment.recognise(session, old) == (ME, False)
        enrolment.expect(session, GUEST, 2)
    with database.write() as session:
        for refused in (
            lambda: enrolment.recognise(session, old),
            lambda: enrolment.enrol(session, wire.Enrol(GUEST, 1, enrolment.token(GUEST, 1))),
            lambda: enrolment.confirm(session, ME, old),
        ):
            with pytest.raises(errors.Unauthorized):
                refused()
        assert enrolment.enrol(session, wire.Enrol(GUEST, 2, enrolment.token(GUEST, 2)))


def test_a_forgotten_guest_leaves_nothing(database: Database) -> None:
    command(database)
    with database.write() as session:
        enrolment.forget(session, GUEST)
    with database.read() as session:
        assert session.get(Guest, GUEST) is None
        assert session.get(Command, "c") is None
        assert session.get(Guest, OTHER) is not None


def test_commands_are_cancelled_by_their_run(database: Database) -> None:
    for name, run in (("mine", "r1"), ("another", "r2")):
        with database.write() as session:
            mailbox.send(session, Command(id=name, guest_id=GUEST, run_id=run, verb="noop", arguments={}))
    with database.write() as session:
        mailbox.cancel(session, "r1")
    with database.read() as session:
        assert {(each.id, each.cancelled) for each in mailbox.waiting(session)} == {("mine", True), ("another", False)}


def test_old_answers_are_dropped_and_questions_are_not(database: Database) -> None:
    command(database, "answered")
    command(database, "waiting")
    write(database, wire.Answer("answered", {}))
    with database.write() as session:
        mailbox.prune(session, 0)
        assert session.get(Command, "answered") is not None
        mailbox.prune(session, 10**12)
    with database.read() as session:
        assert [session.get(Command, name) is None for name in ("answered", "waiting")] == [True, False]


class Answering:
    """News that lets the guest answer between two looks."""

    def __init__(self, database: Database, reply: wire.Answer | None) -> None:
        self.database, self.reply = database, reply

    def until(self, look: Any, good: Any, seconds: float) -> Any:
        assert seconds == 2
        seen = look()
        assert not good(seen)
        if self.reply is not None:
            write(self.database, wire.Answer(seen.id, self.reply.result, self.reply.error, self.reply.error_kind))
        return look()


def test_a_call_gives_the_guests_answer_and_leaves_no_row(database: Database) -> None:
    news = Answering(database, wire.Answer("", {"users": ["a"]}))
    assert calls.call(database, news, GUEST, "list_users", within=2, limit=3) == {"users": ["a"]}
    with database.read() as session:
        assert mailbox.waiting(session) == []


@pytest.mark.parametrize(
    ("kind", "raised"),
    [("rejected", errors.Rejected), ("unavailable", errors.GuestSilent), ("", errors.GuestFailed)],
)
def test_a_call_raises_what_the_guest_said(database: Database, kind: str, raised: type[Exception]) -> None:
    with pytest.raises(raised, match="no"):
        calls.call(database, Answering(database, wire.Answer("", None, "no", kind)), GUEST, "x", within=2)


def test_a_silent_guest_is_named_and_told_to_leave_it(database: Database) -> None:
    with pytest.raises(errors.GuestSilent, match=GUEST):
        calls.call(database, Answering(database, None), GUEST, "x", within=2)
    with database.read() as session:
        assert [each.cancelled for each in mailbox.waiting(session)] == [True]
