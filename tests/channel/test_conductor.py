"""A real conductor over real TLS sockets: presence, commands, both carriers, restarts, company."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request

from argosy import settings
from argosy.agent.door import Door, Link, LongPoll, Lost
from argosy.conductor.desk import Desk
from argosy.conductor.doors import Doors
from argosy.db.session import Database
from argosy.guest import authority
from argosy.model import wire
from argosy.settings import Settings
from argosy.testing import claims
from argosy.testing.channel import CONDUCTOR, Channel, write_settings
from argosy.testing.guests import enrolled, trust
from argosy.testing.waiting import eventually

Greet = Callable[..., Link]
Credential = Callable[[str], str]


def beat(seq: int = 1, health: str = "healthy", boot: str = "b1") -> wire.Heartbeat:
    return wire.Heartbeat(boot, seq, health)


def test_only_the_deployments_authority_is_trusted(channel: Channel, tmp_path: Path) -> None:
    authority.make(tmp_path)
    stranger = Door(channel.url, authority.load(tmp_path).pem)
    with pytest.raises(Lost, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.post("/v1/enrol", {})


def test_a_control_database_that_is_away_is_503(channel: Channel, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path}/no/such/directory.db")
    doors = Doors(Desk(channel.settings, away, lambda: channel.authority))
    assert asyncio.run(doors.healthcheck(Request({"type": "http"}))).status_code == 503


def test_presence_is_written_at_once(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    eventually(lambda: channel.guest(guest).connected, within=5)
    link.close()
    eventually(lambda: not channel.guest(guest).connected, within=5)


def test_a_change_of_health_is_written_at_once_and_rings_the_api(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    for seq, health in enumerate(("starting", "healthy", "down"), 1):
        channel.bell.clear()
        link.send(beat(seq, health))
        assert channel.bell.wait(5)
        eventually(lambda health=health: channel.guest(guest).health == health, within=5)
    channel.bell.clear()
    link.send(beat(4, "down"))
    eventually(lambda: channel.guest(guest).seq == 4)
    assert not channel.bell.wait(0.2)


def test_another_word_about_the_same_health_is_told_too(channel: Channel, greet: Greet) -> None:
    """Settings may be taken back while a server starts for the third time."""
    guest = channel.expect()
    link = greet(guest)
    for seq, message in enumerate(("", "settings were taken back"), 1):
        channel.bell.clear()
        link.send(wire.Heartbeat("b1", seq, "starting", message))
        assert channel.bell.wait(5)
        eventually(lambda message=message: channel.guest(guest).message == message, within=5)


def test_health_at_moves_only_when_health_does(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    link.send(beat(1))
    changed = eventually(lambda: channel.guest(guest).health_at)
    link.send(beat(2))
    eventually(lambda: channel.guest(guest).seq == 2)
    assert channel.guest(guest).health_at == changed


def test_a_command_is_delivered_answered_and_acknowledged(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    command = channel.ask(guest, "prepare", term=3, password="secret")
    assert link.receive() == wire.Command(command, "prepare", {"password": "secret"}, 3)
    link.send(wire.Progress(command, 5, 10, "bytes"))
    eventually(lambda: channel.command(command).done == 5)
    link.send(wire.Answer(command, {"version": "1"}))
    assert link.receive() == wire.Received(command)
    row = channel.command(command)
    assert (row.answered, row.result, row.arguments) == (True, {"version": "1"}, None)


def test_a_command_waits_for_its_guest(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    commands = [channel.ask(guest, verb) for verb in ("first", "second")]
    link = greet(guest)
    heard = [link.receive(), link.receive()]
    assert heard == [wire.Command(name, verb) for name, verb in zip(commands, ("first", "second"), strict=True)]


def test_an_unanswered_command_comes_again_with_the_next_connection(
    channel: Channel, greet: Greet, credential: Credential
) -> None:
    guest = channel.expect()
    shown = credential(guest)
    first = greet(guest, shown)
    command = channel.ask(guest, "noop")
    assert first.receive() == wire.Command(command, "noop")
    first.close()
    assert greet(guest, shown).receive() == wire.Command(command, "noop")


def test_the_latest_connection_of_a_guest_counts(channel: Channel, greet: Greet, credential: Credential) -> None:
    guest = channel.expect()
    shown = credential(guest)
    older, newer = greet(guest, shown, "b1"), greet(guest, shown, "b2")
    with pytest.raises(Lost):
        older.receive()
    newer.send(beat(1, boot="b2"))
    eventually(lambda: channel.guest(guest).seq == 1)
    assert channel.guest(guest).connected


def test_a_cancelled_command_is_told_once(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    command = channel.ask(guest, "long")
    link.receive()
    with channel.database.write() as session:
        row = channel.command(command)
        row.cancelled = True
        session.merge(row)
    assert link.receive() == wire.Cancel(command)


def test_frames_travel_by_long_poll_too(channel: Channel, door: Door, credential: Credential) -> None:
    guest = channel.expect()
    link = LongPoll(door.https(), door.https(), credential(guest))
    link.send(wire.Hello([1], "test", "b1"))
    assert isinstance(link.receive(), wire.Welcome)
    link.send(beat())
    command = channel.ask(guest, "noop")
    assert link.receive() == wire.Command(command, "noop")
    link.send(wire.Answer(command, {}))
    assert channel.await_answer(command, within=5).result == {}
    assert link.receive() == wire.Received(command)
    assert channel.guest(guest).health == "healthy"
    link.close()
    eventually(lambda: not channel.guest(guest).connected, within=15)


def test_who_only_says_something_takes_nothing_from_its_poll(
    channel: Channel, door: Door, credential: Credential
) -> None:
    guest = channel.expect()
    link = LongPoll(door.https(), door.https(), credential(guest))
    link.send(wire.Hello([1], "test", "b1"))
    link.receive()
    command = channel.ask(guest, "noop")
    for seq in range(20):
        link.send(beat(seq + 1))
        assert link._frames.empty()
    assert link.receive() == wire.Command(command, "noop")
    link.close()


def test_a_poll_without_hello_is_refused(door: Door, channel: Channel, credential: Credential) -> None:
    link = LongPoll(door.https(), door.https(), credential(channel.expect()))
    with pytest.raises(Lost, match="hello"):
        link.receive()
    link.close()


def test_a_silent_connection_is_ended(greet: Greet) -> None:
    link = greet()
    with pytest.raises(Lost):
        link.receive()


def test_a_killed_conductors_presence_is_taken_back(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    eventually(lambda: channel.guest(guest).connected)
    channel.kill()
    with pytest.raises(Lost):
        link.receive()
    channel.start()
    eventually(lambda: not channel.guest(guest).connected, within=15)


def test_sigterm_ends_it_in_order(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    greet(guest).send(beat(7))
    began = time.monotonic()
    try:
        assert channel.stop(signal.SIGTERM) == 0
    finally:
        channel.start()
    assert time.monotonic() - began < 20
    row = channel.guest(guest)
    assert (row.connected, row.seq) == (False, 7)


def test_a_command_left_through_another_conductors_doorbell_arrives(channel: Channel, greet: Greet) -> None:
    """Two conductors on one database: each delivers to the guests that it holds."""
    second = Channel.__new__(Channel)
    second.__dict__.update(channel.__dict__)
    second.settings = beside(channel)
    second.process = None
    second.start()
    try:
        guest = channel.expect()
        first = greet(guest)
        other = channel.expect()
        boot = channel.boot(other)
        there = Door(second.url, channel.authority.pem)
        shown = there.post("/v1/enrol", {name: boot[name] for name in ("guest", "generation", "token")})["credential"]
        link = there.open(shown)
        link.send(wire.Hello([1], "test", "b1"))
        link.receive()
        for each, held in ((guest, first), (other, link)):
            command = channel.ask(each, "noop")
            assert held.receive() == wire.Command(command, "noop")
            held.send(wire.Answer(command, {}))
            channel.await_answer(command, within=5)
        link.close()
    finally:
        second.kill()


def beside(channel: Channel) -> Settings:
    """Of a second conductor of the same deployment, on a port of its own."""
    state = channel.settings.state / "second"
    tables = {
        "conductor": {"port": claims.port(), "heartbeat_seconds": 1.0},
        "database": {"url": channel.settings.database_url},
    }
    write_settings(state, tables)
    (state / "keys").symlink_to(channel.settings.keys)
    (state / "run").symlink_to(channel.settings.run)
    return settings.from_tables(state, tables)


def test_everybody_is_back_after_the_conductor_was_killed(channel: Channel) -> None:
    """A storm: none is lost, and commands that were left meanwhile are done by each exactly once."""
    count = 200
    guests = enrolled(channel.database, count, interval=1.0)

    async def storm() -> list[str]:
        tls: ssl.SSLContext = trust(channel.authority.pem)
        tasks = [asyncio.create_task(guest.live(channel.url, tls)) for guest in guests]
        await asyncio.to_thread(eventually, lambda: all(channel.guest(g.id).connected for g in guests[::20]), 60)
        await asyncio.to_thread(channel.kill)
        commands = [channel.ask(guest.id, "noop") for guest in guests]
        await asyncio.to_thread(channel.start)
        for command in commands:
            await asyncio.to_thread(channel.await_answer, command, 60)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return commands

    commands = asyncio.run(storm())
    assert [guest.done for guest in guests] == [{command: 1} for command in commands]


def test_the_doorbell_makes_commands_fast(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    took = []
    for _ in range(20):
        began = time.monotonic()
        channel.ask(guest, "noop")
        link.receive()
        took.append(time.monotonic() - began)
    assert sorted(took)[10] < 0.5, took


def test_without_a_doorbell_commands_arrive_within_a_second_or_so(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    ring, channel.database.ring = channel.database.ring, lambda _roles: None
    try:
        command = channel.ask(guest, "noop")
    finally:
        channel.database.ring = ring
    assert link.receive() == wire.Command(command, "noop")


def test_a_conductor_without_its_authority_says_what_is_missing(home: Path) -> None:
    bare = Channel(home / "bare")
    (bare.settings.keys / "ca.crt").unlink()
    argv = [sys.executable, "-c", CONDUCTOR, str(bare.settings.state)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, env={**os.environ}, check=False)
    bare.close()
    assert ended.returncode != 0
    assert "ca.crt" in ended.stderr
