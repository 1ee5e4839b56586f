"""A server that its agent holds still for a while."""

from __future__ import annotations

from typing import Any

from argosy.testing.agents import RealGuest
from argosy.testing.waiting import eventually


def test_a_server_is_held_and_released_once(prepared: RealGuest) -> None:
    assert prepared.do("flush") == {}
    first = prepared.do("quiesce", seconds=30, hold="a")
    assert prepared.do("quiesce", seconds=30, hold="a") == first
    assert "held still already" in refusal(prepared, "quiesce", seconds=30, hold="b")
    released = prepared.do("release", hold="a")
    assert released["held"] > 0
    assert prepared.do("release", hold="a")["held"] == released["held"]
    assert prepared.do("examine", canaries=released["canaries"])["report"]["compared"] == ["data", "users"]


def test_a_hold_ends_by_itself_and_counts_for_nothing_then(prepared: RealGuest) -> None:
    prepared.do("quiesce", seconds=0.3, hold="a")
    eventually(lambda: not refusal(prepared, "quiesce", seconds=30, hold="b"))
    assert "not held still" in refusal(prepared, "release", hold="a")
    assert prepared.do("release", hold="b")["held"] > 0


def test_an_agent_started_anew_holds_nothing(prepared: RealGuest) -> None:
    prepared.do("quiesce", seconds=30, hold="a")
    before = prepared.channel.guest(prepared.id).boot
    prepared.kill_agent()
    eventually(lambda: prepared.channel.guest(prepared.id).boot not in ("", before))
    assert "not held still" in refusal(prepared, "release", hold="a")


def refusal(guest: RealGuest, verb: str, **arguments: Any) -> str:
    """Empty when it was done."""
    answer = guest.channel.await_answer(guest.channel.ask(guest.id, verb, **arguments))
    assert answer.error_kind == ("rejected" if answer.error else "")
    return answer.error
