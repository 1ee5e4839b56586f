"""Have an instance's data be those of a backup, in place: same endpoint, same settings, a new server over them.

What the data were is kept first, and given back whatever fails before the restored ones have answered a query; then it
stands among the instance's undos for a while.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import (
    change_modules,
    fallback,
    rebuild_instance,
    restoring,
    servers,
    snapshots,
    starting,
    undos,
)
from argosy.workflows.restoring import Restore
from argosy.workflows.world import World

restore_in_place: Workflow[World] = Workflow("restore_in_place", cancellable=True, event="instance_restore")


def admit(session: Session, caller: Caller, instance: Instance, restore: Restore, *, confirmed: bool = False) -> None:
    """Raises NotFound, BadRequest, Conflict, Forbidden, Busy, Unprocessable, NotSupported."""
    undos.require_confirmed(instance, confirmed=confirmed)
    wanted = restoring.admit(session, caller, instance, restore)
    undos.begin(
        session,
        restore_in_place,
        caller,
        instance,
        reason=_reason(wanted.described),
        shared=[each.id for each in wanted.chain],
        restore=dataclasses.asdict(restore),
        becomes=wanted.described,
        accounts={},
        told={"backup_id": restore.backup_id},
    )


def _reason(described: Mapping[str, Any]) -> str:
    """What somebody reads who looks for what to go back to."""
    at = (described["target"] or {}).get("time")
    return f"restored from backup {described['name']}{f', then on to {clock.timestamp(at)}' if at else ''}"[:255]


@restore_in_place.step(detour="stay")
def look(ctx: Context[World]) -> Outcome:
    """Is all of it there that can be seen from here? Nobody notices anything so far."""
    restoring.look(ctx)
    return None


@restore_in_place.step(detour=fallback.BACK)
def stop(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


@restore_in_place.step(detour=fallback.BACK)
def keep(ctx: Context[World]) -> Outcome:
    return fallback.keep(ctx)


@restore_in_place.step(detour=fallback.BACK)
def volume(ctx: Context[World]) -> Outcome:
    """Empty, or a copy of what the backup still has on the pool."""
    made = ctx.world.provider.volumes.remake(ctx.subject, restoring.source(ctx), undos.mark(ctx))
    return fallback.made(made, "the volume is being made anew")


@restore_in_place.step(detour=fallback.BACK)
def identity(ctx: Context[World]) -> Outcome:
    rebuild_instance.succeed(ctx, ctx.memory["generation"] + 1)
    return None


@restore_in_place.step(detour=fallback.BACK)
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@restore_in_place.step(minutes=restoring.LONGEST_MINUTES, detour=fallback.BACK)
def load(ctx: Context[World]) -> Outcome:
    return restoring.load(ctx)


@restore_in_place.step(detour=fallback.BACK)
def commit(ctx: Context[World]) -> Outcome:
    """The data are there and answer: from the end of this step on only an undo leads back."""

    def write(session: Session) -> None:
        undos.keep(ctx, session)
        session.get_one(Instance, ctx.subject).restored_from = ctx.memory["becomes"]

    ctx.record(write)
    return None


@restore_in_place.step(minutes=5)
def modules(ctx: Context[World]) -> Outcome:
    """What the old guest was given; the new one has nothing of it."""
    servers.check(ctx)
    return change_modules.give(ctx)


@restore_in_place.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


fallback.give_back(restore_in_place)


@restore_in_place.detour()
def stay(ctx: Context[World]) -> Outcome:
    """Nothing was done yet."""
    snapshots.let_go(ctx, ctx.memory["snapshot"])
    ctx.record(lambda session: servers.settle(session, ctx.subject, Task(ctx.memory["task"])))
    return None


@restore_in_place.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    fallback.blame(session, run, fault, during=Task.RESTORING)
