"""Go back to data that were kept before a restore in place, or before an undo. What they are now is kept as well: an
undo can be undone.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run, Undo
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import Source
from argosy.workflows import (
    change_modules,
    fallback,
    rebuild_instance,
    servers,
    snapshots,
    starting,
    undos,
)
from argosy.workflows.world import World

undo_change: Workflow[World] = Workflow("undo_change", cancellable=True, event="instance_undo")
expire_undos: Workflow[World] = Workflow("expire_undos")

AT_ONCE = 100
UNDONE, AGAIN = "undone: ", "again: "


def admit(
    session: Session, caller: Caller, instance: Instance, undo_id: str | None = None, *, confirmed: bool = False
) -> None:
    """Without an id, the latest. Raises NotFound, Busy, Unprocessable, NotSupported."""
    undos.require_confirmed(instance, confirmed=confirmed)
    undo = undos.find(session, instance, undo_id)
    undos.begin(
        session,
        undo_change,
        caller,
        instance,
        reason=_reason(undo.reason),
        undo=undo.id,
        to=undo.version_id,
        becomes=undo.restored_from,
        told={"undo_id": undo.id},
    )


def _reason(before: str) -> str:
    """Undone once, or that undone again: not a word more each time."""
    if before.startswith(UNDONE):
        return f"{AGAIN}{before.removeprefix(UNDONE)}"
    return f"{UNDONE}{before.removeprefix(AGAIN)}"[:255]


@undo_change.step(detour=fallback.BACK)
def stop(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


@undo_change.step(detour=fallback.BACK)
def keep(ctx: Context[World]) -> Outcome:
    return fallback.keep(ctx)


@undo_change.step(detour=fallback.BACK)
def volume(ctx: Context[World]) -> Outcome:
    source = Source(snapshot=ctx.memory["undo"])
    made = ctx.world.provider.volumes.remake(ctx.subject, source, undos.mark(ctx))
    return fallback.made(made, "the volume becomes what it was")


@undo_change.step(detour=fallback.BACK)
def identity(ctx: Context[World]) -> Outcome:
    rebuild_instance.succeed(ctx, ctx.memory["generation"] + 1)
    return None


@undo_change.step(detour=fallback.BACK)
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx, version_id=ctx.memory["to"])


@undo_change.step(minutes=15, detour=fallback.BACK)
def guest(ctx: Context[World]) -> Outcome:
    servers.check(ctx, version_id=ctx.memory["to"])
    doing = "the database server is starting over the data that were kept"
    return starting.ask(ctx, "rebuild", doing, version_id=ctx.memory["to"], run=True)


@undo_change.step(detour=fallback.BACK)
def commit(ctx: Context[World]) -> Outcome:
    """The data are there and answer: from the end of this step on only another undo leads back."""

    def write(session: Session) -> None:
        undos.keep(ctx, session)
        undos.forget(session, ctx.memory["undo"])
        instance = session.get_one(Instance, ctx.subject)
        instance.version_id, instance.restored_from = ctx.memory["to"], ctx.memory["becomes"]

    ctx.record(write)
    return None


@undo_change.step()
def let_go(ctx: Context[World]) -> Outcome:
    snapshots.let_go(ctx, ctx.memory["undo"])
    return None


@undo_change.step(minutes=5)
def modules(ctx: Context[World]) -> Outcome:
    """What the old guest was given; the new one has nothing of it."""
    servers.check(ctx)
    return change_modules.give(ctx)


@undo_change.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


fallback.give_back(undo_change)


@undo_change.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    fallback.blame(session, run, fault, during=Task.RESTORING)


@expire_undos.step()
def expire(ctx: Context[World]) -> Outcome:
    """The rows go first: from then on nobody can want the copies. What is just being gone back to stays."""
    mine = (Run.workflow == undo_change.name) & (Run.state == "active")
    over = (Undo.until < clock.now()) & Undo.instance_id.not_in(select(Run.subject).where(mine))
    with ctx.database.read() as session:
        gone = session.scalars(select(Undo.id).where(over).limit(AT_ONCE)).all()
    ctx.memory["gone"] = list(gone)
    ctx.record(lambda session: session.execute(delete(Undo).where(over, Undo.id.in_(gone))))
    return None


@expire_undos.step()
def let_copies_go(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        kept = {*session.scalars(select(Undo.id).where(Undo.id.in_(ctx.memory["gone"])))}
    for undo_id in ctx.memory["gone"]:
        if undo_id not in kept:
            snapshots.let_go(ctx, undo_id)
    return None
