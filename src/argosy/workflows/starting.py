"""A guest that starts or changes its database server: what it is told with that, and what its owner is told then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argosy.durable.workflow import Context, Outcome
from argosy.guest import mailbox
from argosy.model.status import Task
from argosy.workflows import archives, overrides, servers
from argosy.workflows.world import World

FAULT = "fault"
"""key of a run's memory: what went wrong although the server runs, as settings that it has taken back"""


def ask(ctx: Context[World], verb: str, doing: str, *, version_id: str = "", **arguments: Any) -> Outcome:
    """Have the guest start its server, by a verb that does, with all that such a server is to be told as of now.

    `version_id`: as a server of that version would have it. `doing`: what the owner reads meanwhile. What came of it is
    in the run's memory from then on, for `settle`. Raises what mailbox.ask does.
    """
    told: dict[str, Any] = {
        "overrides": overrides.current(ctx, version_id=version_id),
        "history": archives.history(ctx),
    }
    answer = mailbox.ask(ctx, ctx.subject, verb, **told, **arguments)
    if answer is None:
        return servers.await_guest(ctx, doing)
    hear(ctx, answer)
    return None


def hear(ctx: Context[World], answer: Mapping[str, Any]) -> None:
    """Remember, for `settle`, what the guest says of its server: what its heartbeats say of it during an operation is
    left to the operation.
    """
    ctx.memory[FAULT] = answer.get("fault") or ctx.memory.get(FAULT)


def settle(ctx: Context[World], task: Task = Task.NONE) -> None:
    """The operation is over and nothing failed: what the guest had to say stands where the owner looks."""
    fault = ctx.memory.get(FAULT)
    ctx.record(lambda session: servers.settle(session, ctx.subject, task))
    ctx.record(lambda session: overrides.note(session, ctx.subject, fault))
