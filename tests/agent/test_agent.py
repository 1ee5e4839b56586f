"""The agent, its init and a real engine, against a real conductor."""

from __future__ import annotations

import json
import os
import signal
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

PASSWORD = "correct-horse-battery"
Make = Callable[..., RealGuest]


def client(guest: RealGuest, password: str = PASSWORD) -> redis.Redis:
    authority = guest.channel.authority.pem
    return redis.Redis(
        guest.site.address, guest.site.port, username="root", password=password, ssl=True, ssl_ca_data=authority
    )


@pytest.fixture
def prepared(channel: Channel, guest: Make) -> RealGuest:
    channel.start()
    made = guest()
    made.start()
    made.do("prepare", master=PASSWORD)
    return made


def test_prepare_makes_a_server_that_answers_over_verified_tls(prepared: RealGuest) -> None:
    assert client(prepared).ping()
    row = prepared.channel.guest(prepared.id)
    assert (row.health, row.version[:2]) == ("healthy", "7.")
    assert 0 < row.volume_used < row.volume_total
    assert row.metrics["max_connections"] > 0


def test_every_verb_may_be_repeated(prepared: RealGuest) -> None:
    for verb in (
        "prepare",
        "restart",
        "configure",
        "reissue_certificate",
        "rotate_credential",
        "stop",
        "stop",
        "start",
    ):
        for _ in range(2):
            prepared.do(verb, **({"master": PASSWORD} if verb == "prepare" else {}))
    prepared.do("reset_master", password="another-password")
    assert client(prepared, "another-password").ping()


def test_a_reissued_certificate_is_served_without_a_restart(prepared: RealGuest) -> None:
    starts = prepared.ask_init()["starts"]
    before = served_certificate(prepared)
    prepared.do("reissue_certificate")
    assert served_certificate(prepared) != before
    assert prepared.ask_init()["starts"] == starts


def test_a_rotated_credential_makes_the_old_one_worthless(prepared: RealGuest) -> None:
    old = (prepared.state / "credential").read_text()
    prepared.do("rotate_credential")
    row = prepared.channel.guest(prepared.id)
    assert (prepared.state / "credential").read_text() != old
    assert row.next_credential is None
    prepared.kill_agent()
    before = row.boot
    eventually(lambda: prepared.channel.guest(prepared.id).boot not in ("", before))


def test_a_killed_engine_is_back_and_its_new_start_is_told(prepared: RealGuest) -> None:
    os.kill(prepared.ask_init()["pid"], signal.SIGKILL)
    eventually(lambda: prepared.channel.guest(prepared.id).metrics["engine_starts"] == 2, within=15)
    eventually(lambda: prepared.channel.guest(prepared.id).health == "healthy", within=15)
    assert client(prepared).ping()


def test_an_engine_that_hangs_is_blocked_and_told_at_once(prepared: RealGuest) -> None:
    pid = prepared.ask_init()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: prepared.channel.guest(prepared.id).health == "blocked", within=8)
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: prepared.channel.guest(prepared.id).health == "healthy", within=8)


def test_a_stopped_engine_stays_stopped_and_is_told_so(prepared: RealGuest) -> None:
    prepared.do("stop")
    eventually(lambda: prepared.channel.guest(prepared.id).health == "stopped", within=5)
    prepared.kill_agent()
    prepared.agent_pid()
    prepared.do("configure")
    assert not prepared.ask_init()["running"]


def test_a_server_that_cannot_start_fails_in_its_own_words(channel: Channel, guest: Make) -> None:
    channel.start()
    made = guest()
    site = json.loads((made.state / "site.json").read_text())
    (made.state / "site.json").write_text(json.dumps({**site, "address": "203.0.113.7"}))
    made.start()
    command = channel.await_answer(channel.ask(made.id, "prepare", master=PASSWORD))
    assert "203.0.113.7" in command.error
    eventually(lambda: channel.guest(made.id).health == "failed", within=10)


def test_the_engine_survives_its_agent_and_the_conductor(prepared: RealGuest) -> None:
    pid = prepared.ask_init()["pid"]
    prepared.channel.kill()
    prepared.kill_agent()
    assert client(prepared).ping()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: prepared.ask_init()["pid"] not in (pid, None))
    prepared.channel.start()
    eventually(lambda: prepared.channel.guest(prepared.id).health == "healthy", within=20)


def test_the_guest_reaches_a_conductor_that_comes_later(channel: Channel, guest: Make) -> None:
    made = guest()
    made.start()
    made.agent_pid()
    channel.start()
    made.do("prepare", master=PASSWORD)
    assert client(made).ping()


def test_a_refused_credential_says_so_and_the_token_does_not_come_back(prepared: RealGuest) -> None:
    (prepared.state / "credential").write_text(f"{prepared.id}.{'0' * 64}")
    prepared.kill_agent()
    eventually(lambda: "must be rebuilt" in prepared.log.read_text(), within=15)
    assert client(prepared).ping()


def test_a_credential_that_was_never_used_is_asked_for_again(channel: Channel, guest: Make) -> None:
    """The crash between the conductor's commit and the guest's file."""
    channel.start()
    made = guest()
    (made.state / "credential").write_text(f"{made.id}.{'0' * 64}")
    made.start()
    eventually(made.connected)


@pytest.mark.parametrize("text", ["{", "[]", '{"guest": "x"}'])
def test_a_damaged_boot_file_is_told_in_the_log(guest: Make, text: str) -> None:
    made = guest()
    (made.state / "boot.json").write_text(text)
    made.start()
    eventually(lambda: "boot.json" in made.log.read_text() and "cannot be" in made.log.read_text(), within=10)
    assert not (made.state / "credential").exists()


def test_a_damaged_journal_is_told_upstream(channel: Channel, guest: Make) -> None:
    channel.start()
    made = guest()
    (made.state / "journal").write_text('{"term": 3}\nnonsense\n{"term": 4}\n')
    made.start()
    eventually(lambda: "journal" in channel.guest(made.id).message)
    assert "line 2" in channel.guest(made.id).message


def test_a_command_of_an_older_term_is_refused(channel: Channel, guest: Make) -> None:
    channel.start()
    made = guest()
    (made.state / "journal").write_text('{"term": 3}\n')
    made.start()
    command = channel.await_answer(channel.ask(made.id, "stop", term=2))
    assert (command.error_kind, "term 2 is over" in command.error) == ("rejected", True)


def test_a_resized_guest_is_configured_for_its_new_size(prepared: RealGuest) -> None:
    file = prepared.state / "site.json"
    site = json.loads(file.read_text())
    draft = file.with_name("site.json.new")
    draft.write_text(json.dumps({**site, "memory": site["memory"] * 4}))
    draft.rename(file)
    before = prepared.channel.guest(prepared.id).metrics["max_memory_bytes"]
    prepared.do("configure")
    eventually(lambda: prepared.channel.guest(prepared.id).metrics["max_memory_bytes"] > 3 * before)


def test_an_unknown_verb_is_refused(prepared: RealGuest) -> None:
    command = prepared.channel.await_answer(prepared.channel.ask(prepared.id, "levitate"))
    assert (command.error_kind, "levitate" in command.error) == ("rejected", True)


def test_nothing_secret_is_kept_beside_the_engine_or_logged(prepared: RealGuest) -> None:
    for file in (prepared.state / "journal", prepared.log, prepared.channel.log):
        assert PASSWORD not in file.read_text(), file
    assert (prepared.state / "credential").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("engine", ["redis", "postgresql"])
def test_an_idle_agent_is_small(channel: Channel, guest: Make, engine: str) -> None:
    """Beside the conductor it talks to, as it always is; memory that processes share counts by its share."""
    channel.start()
    made = guest(engine)
    made.start()
    if engine == "postgresql":
        made.do("install")
    made.do("prepare", master=PASSWORD)
    assert pss(made.agent_pid()) < 20


def pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def served_certificate(guest: RealGuest) -> str:
    return ssl.get_server_certificate((guest.site.address, guest.site.port))
