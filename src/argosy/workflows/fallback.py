"""What gives an instance back as it was, when something that is done to its data fails: a detour of several operations.

Before anything is done to them the data are kept (`keep`), while no server runs. From the end of the step that cannot
be gone back behind, an operation names another detour, or none.

In the run's memory: `snapshot`, the name of the copy (written down by `admit`: snapshots.expect), `generation`, the
instance's when it was admitted, and `task`, what was to be done to it then.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Instance, Run
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.model.status import Task
from argosy.providers.base import State, Volume
from argosy.workflows import rebuild_instance, servers, snapshots
from argosy.workflows.world import World

DAY = 24 * 60
"""Minutes in which what gives an instance back is tried again and again: nothing else would help it."""
BACK = "back"
"""name of the detour"""


def keep(ctx: Context[World]) -> Outcome:
    """The step that keeps the data of a server that was put down."""
    ctx.world.provider.volumes.snapshot(ctx.subject, ctx.memory["snapshot"])
    ctx.memory["kept"] = True
    return None


def give_back(workflow: Workflow[World]) -> None:
    """Let the workflow have the detour `back`, in its steps."""
    workflow.detour(minutes=DAY)(back)
    workflow.detour(minutes=DAY, after="back")(data_back)
    workflow.detour(minutes=DAY, after="data_back")(let_go_back)
    workflow.detour(after="let_go_back")(identity_back)
    workflow.detour(minutes=DAY, after="identity_back")(server_back)
    workflow.detour(minutes=60, after="server_back")(guest_back)


def back(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


def data_back(ctx: Context[World]) -> Outcome:
    return _patiently(lambda: _reverted(ctx)) if ctx.memory.get("kept") and not _deleted(ctx) else None


def let_go_back(ctx: Context[World]) -> Outcome:
    """The volume is what the snapshot was."""
    snapshots.let_go(ctx, ctx.memory["snapshot"])
    return None


def identity_back(ctx: Context[World]) -> Outcome:
    rebuild_instance.succeed(ctx, ctx.memory["generation"] + 2)
    return None


def server_back(ctx: Context[World]) -> Outcome:
    return None if _deleted(ctx) else _patiently(lambda: servers.begin(ctx))


def guest_back(ctx: Context[World]) -> Outcome:
    if _deleted(ctx):
        return None
    outcome = rebuild_instance.raise_up(ctx)
    if outcome is None:
        ctx.record(lambda session: servers.settle(session, ctx.subject, Task(ctx.memory["task"])))
    return outcome


def blame(session: Session, run: Run, fault: str, *, during: Task) -> None:
    """What was given back, or has come through, is as good as before; else a rebuild goes on from here."""
    servers.note(session, run, fault)
    if session.scalar(select(Instance.task).where(Instance.id == run.subject)) == during:
        servers.blame(session, run, fault, task=Task.ERROR)


def made(volume: Volume, doing: str) -> Outcome:
    """Raises CloudFailed."""
    if volume.state is State.FAILED:
        raise errors.CloudFailed(volume.fault)
    return Wait(1, doing) if volume.state is State.BUILDING else None


def _reverted(ctx: Context[World]) -> Outcome:
    volume = ctx.world.provider.volumes.revert(ctx.subject, ctx.memory["snapshot"])
    return made(volume, "the volume becomes what it was")


def _patiently(act: Callable[[], Outcome]) -> Outcome:
    try:
        return act()
    except errors.CloudFailed as error:
        return Wait(30, error.message)


def _deleted(ctx: Context[World]) -> bool:
    """Its owner does not want it any more: it need not be given back."""
    with ctx.database.read() as session:
        return session.get_one(Instance, ctx.subject).task == Task.DELETING
