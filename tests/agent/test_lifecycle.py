"""Another size, and another server over the same data, as the guest does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import redis

from argosy.agent.diagnostics import figures
from argosy.testing.agents import RealGuest
from argosy.testing.waiting import eventually

MIB = 1 << 20
PASSWORD = "a-password-of-the-master"


def prepared(guest: RealGuest) -> RealGuest:
    guest.channel.start()
    guest.start()
    guest.do("prepare", master=PASSWORD)
    return guest


def announced(guest: RealGuest, memory: int) -> None:
    """As the provider writes it."""
    file = guest.state / "site.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "memory": memory * MIB}))


def client(guest: RealGuest) -> redis.Redis:
    authority = (guest.state / "tls" / "ca.crt").read_text()
    return redis.Redis(
        guest.site.address, guest.site.port, username="root", password=PASSWORD, ssl=True, ssl_ca_data=authority
    )


def told(guest: RealGuest) -> float:
    return guest.channel.guest(guest.id).metrics.get("max_memory_bytes", 0)


def test_a_larger_server_needs_no_restart_where_it_can_do_without(guest: Callable[..., RealGuest]) -> None:
    one = prepared(guest())
    before, process = told(one), one.ask_init()["pid"]
    announced(one, 512)
    one.do("fit")
    eventually(lambda: told(one) > before)
    assert one.ask_init()["pid"] == process


def test_a_smaller_server_gives_its_memory_back(guest: Callable[..., RealGuest]) -> None:
    one = prepared(guest())
    before, process = told(one), one.ask_init()["pid"]
    announced(one, 128)
    one.do("fit", restart=True)
    eventually(lambda: 0 < told(one) < before)
    assert one.ask_init()["pid"] != process


def test_settings_that_were_taken_back_are_told_whatever_is_done(guest: Callable[..., RealGuest]) -> None:
    """They are still away."""
    one = prepared(guest())
    taken_back = one.do("configure", overrides={"maxmemory-policy": "nonsense"})["taken_back"]
    assert taken_back == {"maxmemory-policy": "nonsense"}
    announced(one, 512)
    assert one.do("fit")["taken_back"] == taken_back
    assert one.do("change_tls")["taken_back"] == taken_back
    assert one.do("fit", restart=True)["taken_back"] == taken_back
    one.do("stop")
    assert one.do("fit")["taken_back"] == taken_back


def test_data_that_would_not_fit_are_a_cause_to_stay_large(guest: Callable[..., RealGuest]) -> None:
    one = prepared(guest())
    with client(one) as session:
        for number in range(20):
            session.set(f"much{number}", b"x" * MIB)
    announced(one, 32)
    answer = one.channel.await_answer(one.channel.ask(one.id, "fit", restart=True), within=60)
    assert "choose a larger flavor" in answer.error
    announced(one, 256)
    one.do("fit")


def test_a_stopped_server_is_not_started_by_its_new_size(guest: Callable[..., RealGuest]) -> None:
    one = prepared(guest())
    one.do("stop")
    announced(one, 512)
    one.do("fit", restart=True)
    assert not one.ask_init()["running"]
    one.do("start")
    eventually(lambda: told(one) > 256 * MIB // 2)


def test_a_new_guest_finds_the_accounts_of_the_old(guest: Callable[..., RealGuest], home: Path) -> None:
    """The old one's directory is gone, with its secrets; so is its process."""
    one = prepared(guest())
    one.do("stop")
    for name in ("administrator", "redis.conf", "service.json", "overrides.json"):
        (one.state / name).unlink(missing_ok=True)
    one.do("rebuild", overrides={}, run=True)
    assert "root" in (home / "g0" / "v" / "db" / "users.acl").read_text()
    one.do("rebuild", overrides={}, run=True)
    assert one.ask_init()["running"]


def test_rebuilt_it_stays_stopped_where_that_is_wanted(guest: Callable[..., RealGuest]) -> None:
    one = prepared(guest())
    one.do("stop")
    one.do("rebuild", overrides={}, run=False)
    assert not one.ask_init()["running"]


def test_diagnostics_are_the_agents_own(guest: Callable[..., RealGuest]) -> None:
    one = prepared(guest())
    seen = one.do("diagnostics")
    assert seen["vmHwm"] >= seen["vmRss"] > 1024
    assert seen["threads"] >= 3
    status = Path(f"/proc/{one.agent_pid()}/status").read_text()
    assert abs(figures(status)["vmRss"] - seen["vmRss"]) < 4096
    assert one.do("hwinfo") == {"mem_total": 256, "num_cpus": 1}
    assert one.do("ping") == {}


def test_a_crashed_server_is_restarted_once_its_cause_is_gone(guest: Callable[..., RealGuest]) -> None:
    """Starts that failed before the restart do not count against it."""
    one = prepared(guest())
    log = next((one.home / "v" / "db" / "appendonlydir").glob("*.incr.aof"))
    one.do("stop")
    sound = log.read_bytes()
    log.write_bytes(b"*1\r\n$7\r\nNOTHING\r\n")
    answer = one.channel.await_answer(one.channel.ask(one.id, "start"), within=60)
    assert answer.error
    eventually(lambda: one.channel.guest(one.id).health == "failed")
    log.write_bytes(sound)
    one.do("restart")
    assert one.channel.guest(one.id).health == "healthy"
