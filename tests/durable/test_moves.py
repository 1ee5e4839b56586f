"""What follows from an answer, as a table."""

from __future__ import annotations

import pytest

from argosy import errors
from argosy.durable import moves
from argosy.durable.moves import End, Enter, Situation, Sleep
from argosy.durable.workflow import Context, Outcome, Wait, Workflow

work: Workflow[None] = Workflow("work", cancellable=True)


@work.step(minutes=2, detour="tidy")
def careful(ctx: Context[None]) -> Outcome: ...


@work.step(minutes=3)
def plain(ctx: Context[None]) -> Outcome: ...


@work.detour(minutes=4)
def tidy(ctx: Context[None]) -> Outcome: ...


BUSY = errors.CloudBusy("no room")
BROKEN = errors.CloudFailed("it fell over")
SLOW = "a step took longer than it may: careful, 2 minutes: building"


@pytest.mark.parametrize(
    ("step", "left", "answer", "move"),
    [
        ("careful", 60, None, Enter("plain", 180)),
        ("careful", -60, None, Enter("plain", 180)),  # late, but done
        ("plain", 60, None, End("done")),
        ("careful", 60, Wait(5, "building"), Sleep(5, "building")),
        ("careful", 3, Wait(5, "building"), Sleep(3, "building")),  # not past the deadline
        ("careful", 0, Wait(5, "building"), Enter("tidy", 240, SLOW)),
        ("careful", 60, BUSY, Sleep(moves.FIRST_PAUSE * 4, "no room", "no room")),
        ("careful", 0, BUSY, Enter("tidy", 240, SLOW.replace("building", "no room"))),
        ("careful", 60, BROKEN, Enter("tidy", 240, "it fell over")),
        ("plain", 60, BROKEN, End("failed", "it fell over")),
        ("plain", 60, errors.BadRequest("no such size"), End("failed", "no such size")),
        ("plain", 60, moves.Cancelled(), End("cancelled", moves.CANCELLED)),
        ("plain", 60, ZeroDivisionError("secret"), End("failed", moves.describe(work["plain"], ZeroDivisionError()))),
        ("renamed", 60, BROKEN, End("failed", "it fell over")),
    ],
)
def test_decide(step: str, left: float, answer: moves.Answer, move: moves.Move) -> None:
    assert moves.decide(work, Situation(step, 3, left), answer) == move


@pytest.mark.parametrize(
    ("fault", "answer", "move"),
    [
        ("it fell over", None, End("failed", "it fell over")),
        (moves.CANCELLED, None, End("cancelled", moves.CANCELLED)),
        ("it fell over", errors.CloudFailed("and tidying failed"), End("failed", "it fell over")),
    ],
)
def test_a_detour_keeps_the_fault_that_caused_it(fault: str, answer: moves.Answer, move: moves.Move) -> None:
    assert moves.decide(work, Situation("tidy", 1, 60, fault), answer) == move


def test_a_detour_of_several_steps_goes_through_all_of_them() -> None:
    long: Workflow[None] = Workflow("long")
    long.step(detour="tidy")(careful)
    long.detour()(tidy)
    long.detour(after="tidy", minutes=5)(plain)
    assert moves.decide(long, Situation("careful", 1, 60), BROKEN) == Enter("tidy", 600, "it fell over")
    assert moves.decide(long, Situation("tidy", 1, 60, "it fell over"), None) == Enter("plain", 300)
    assert moves.decide(long, Situation("plain", 1, 60, "it fell over"), None) == End("failed", "it fell over")


def test_what_is_not_ours_keeps_its_text_inside() -> None:
    assert "secret" not in moves.describe(work["plain"], ZeroDivisionError("secret"))
    assert "ZeroDivisionError in step plain" in moves.describe(work["plain"], ZeroDivisionError("secret"))


def test_pauses_grow_to_a_limit() -> None:
    pauses = [moves.pause(attempt) for attempt in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] == moves.FIRST_PAUSE
    assert moves.pause(10**6) == moves.LONGEST_PAUSE


@pytest.mark.parametrize(
    ("step", "cancelled", "lost", "refused"),
    [
        ("plain", False, 0, None),
        ("plain", True, 0, moves.Cancelled),
        ("tidy", True, 0, None),  # a detour tidies up: it is not broken off
        ("plain", False, moves.LOST_CLAIMS, None),
        ("plain", False, moves.LOST_CLAIMS + 1, moves.Poisonous),
    ],
)
def test_refusal(step: str, cancelled: bool, lost: int, refused: type[Exception] | None) -> None:
    refusal = moves.refusal(work, step, cancelled=cancelled, lost=lost)
    assert type(refusal) is refused if refused else refusal is None


def test_what_cannot_be_cancelled_goes_on() -> None:
    assert moves.refusal(Workflow("firm"), "plain", cancelled=True, lost=0) is None
