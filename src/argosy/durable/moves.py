"""What follows from an answer of a step: pure decisions, no rows.

    None            -> Enter the next step, or End
    Wait            -> Sleep, until the deadline; past it the step was too slow
    Unavailable     -> Sleep, longer each time, until the deadline
    anything else   -> Enter the step's detour, or End

A deadline is judged after the step has looked once more: a late worker never fails a finished job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from argosy import errors
from argosy.durable.workflow import Context, Step, Wait, Workflow

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""seconds before a step is tried again: doubled each time"""

LOST_CLAIMS = 10
"""So often in a row may workers die over one step before it counts as what kills them."""


class TooSlow(errors.Broken):
    """a step took longer than it may"""


class Cancelled(errors.Broken):
    """cancelled: it was asked to stop"""


class Poisonous(errors.Broken):
    """the step was started again and again, and each time its worker died"""


CANCELLED = Cancelled().message
Answer = Wait | None | Exception


@dataclass(frozen=True)
class Enter:
    step: str
    seconds: float
    """until its deadline"""
    fault: str = ""
    """why: set when this is a detour"""


@dataclass(frozen=True)
class Sleep:
    seconds: float
    note: str
    error: str = ""
    """set when the step could not answer and is to be tried again"""


@dataclass(frozen=True)
class End:
    state: str
    fault: str = ""


Move = Enter | Sleep | End


@dataclass(frozen=True)
class Situation:
    """What a decision needs to know of a run."""

    step: str
    attempt: int
    left: float
    """seconds until the deadline; negative past it"""
    fault: str = ""
    """of an earlier step: this one is a detour"""


def find(workflow: Workflow[Any], name: str) -> Step[Any]:
    """The step of this name; one that can only fail when the workflow has none (a release without its alias)."""
    try:
        return workflow[name]
    except KeyError:
        return Step(name, _unknown, 0.0, None)


def _unknown(ctx: Context[Any]) -> None:
    raise errors.Broken(f"workflow {ctx.run.workflow} has no step {ctx.run.step}: its alias was removed too early")


def refusal(workflow: Workflow[Any], step: str, *, cancelled: bool, lost: int) -> errors.Broken | None:
    """Why the step must not be called at all, if so."""
    if lost > LOST_CLAIMS:
        return Poisonous(f"{Poisonous.__doc__}: {step}, {lost} times")
    if cancelled and workflow.cancellable and step not in workflow.detours:
        return Cancelled()
    return None


def decide(workflow: Workflow[Any], at: Situation, answer: Answer) -> Move:
    step = find(workflow, at.step)
    if answer is None:
        return _onward(workflow, at)
    if isinstance(answer, Wait) and at.left > 0:
        return Sleep(min(answer.seconds, at.left), answer.reason)
    if isinstance(answer, errors.Unavailable) and at.left > 0:
        return Sleep(min(pause(at.attempt), at.left), str(answer), error=str(answer))
    return _give_up(workflow, step, at, describe(step, answer))


def pause(attempt: int) -> float:
    """Seconds before the next attempt: doubled each time."""
    return min(FIRST_PAUSE * 2.0 ** min(attempt - 1, 16), LONGEST_PAUSE)


def describe(step: Step[Any], answer: Wait | Exception) -> str:
    """The fault's sentence. What is not ours may say anything, so its text stays in the log."""
    if isinstance(answer, Wait | errors.Unavailable):
        last = answer.reason if isinstance(answer, Wait) else str(answer)
        return f"{TooSlow.__doc__}: {step.name}, {step.seconds / 60:g} minutes: {last}"
    if isinstance(answer, errors.ArgosyError):
        return str(answer)
    return f"{errors.Broken.__doc__} ({type(answer).__name__} in step {step.name})"


def _onward(workflow: Workflow[Any], at: Situation) -> Move:
    following = workflow.after(at.step)
    if following is not None:
        return Enter(following, workflow[following].seconds)
    return _ended(at.fault) if at.fault else End("done")


def _give_up(workflow: Workflow[Any], step: Step[Any], at: Situation, fault: str) -> Move:
    if step.detour is None:
        return _ended(at.fault or fault)
    return Enter(step.detour, workflow[step.detour].seconds, fault)


def _ended(fault: str) -> End:
    return End("cancelled" if fault == CANCELLED else "failed", fault)
