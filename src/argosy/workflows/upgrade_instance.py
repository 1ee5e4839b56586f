"""Take an instance to a later version of its datastore: a new server over its data, which makes them its own first.

Until the new version has answered, with everything there that was there before, nobody but its agent reaches it and
the volume is kept as it was. So whatever fails before that, the instance is given back: its volume as it was, its old
version, and no client's write lost, because there was none. The row changes at that point and not before; from then on
the way leads forward only.
"""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import DatastoreVersion, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import Feature
from argosy.workflows import fallback, rebuild_instance, servers, snapshots, starting, upgrades
from argosy.workflows.world import World

upgrade_instance: Workflow[World] = Workflow("upgrade_instance", cancellable=True, event="instance_upgrade")


def admit(session: Session, caller: Caller, instance: Instance, version: DatastoreVersion) -> None:
    """Raises Busy, BadRequest, Unprocessable."""
    servers.require_running(instance)
    upgrades.require(session, instance, version)
    snapshot = str(uuid.uuid5(uuid.UUID(instance.id), f"as generation {instance.generation} left it"))
    run = queue.enqueue(
        session,
        upgrade_instance,
        instance.id,
        project_id=caller.project_id,
        to=version.id,
        generation=instance.generation,
        snapshot=snapshot,
        task=instance.task,
        told={"datastore_version": version.name},
    )
    snapshots.expect(session, snapshot, instance.id, run.id)
    instance.task, instance.updated = Task.UPGRADING, clock.now()


@upgrade_instance.step(detour="back")
def stop(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


@upgrade_instance.step(detour="back")
def keep(ctx: Context[World]) -> Outcome:
    """The volume as the old version left it. Where that cannot be, only such versions are gone to as leave it so."""
    return fallback.keep(ctx) if Feature.SNAPSHOT in ctx.world.provider.features else None


@upgrade_instance.step(detour="back")
def identity(ctx: Context[World]) -> Outcome:
    rebuild_instance.succeed(ctx, ctx.memory["generation"] + 1)
    return None


@upgrade_instance.step(detour="back")
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx, version_id=ctx.memory["to"])


@upgrade_instance.step(minutes=240, detour="back")
def convert(ctx: Context[World]) -> Outcome:
    servers.check(ctx, version_id=ctx.memory["to"])
    doing = "the data are made those of the new version, and looked at"
    return starting.ask(ctx, "upgrade", doing, version_id=ctx.memory["to"])


@upgrade_instance.step(detour="back")
def commit(ctx: Context[World]) -> Outcome:
    """From the end of this step on there is no way back, and clients write to the new version."""

    def write(session: Session) -> None:
        session.get_one(Instance, ctx.subject).version_id = ctx.memory["to"]

    ctx.record(write)
    return None


@upgrade_instance.step(minutes=15, detour="onward")
def open_doors(ctx: Context[World]) -> Outcome:
    servers.check(ctx)
    outcome = starting.ask(ctx, "start", "the new version is starting")
    if outcome is None:
        ctx.memory["open"] = True
    return outcome


@upgrade_instance.step(detour="onward")
def let_go(ctx: Context[World]) -> Outcome:
    snapshots.let_go(ctx, ctx.memory["snapshot"])
    return None


@upgrade_instance.step(minutes=240, detour="onward")
def measure(ctx: Context[World]) -> Outcome:
    """Statistics. The server is there without them, and slower: a failure is told, and is none of the upgrade."""
    servers.check(ctx)
    try:
        answer = mailbox.ask(ctx, ctx.subject, "measure")
    except (errors.GuestFailed, errors.Rejected) as error:
        ctx.memory[starting.FAULT] = ctx.memory.get(starting.FAULT) or f"statistics were not taken: {error.message}"
        return None
    return servers.await_guest(ctx, "the new version takes its statistics") if answer is None else None


@upgrade_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@upgrade_instance.detour()
def onward(ctx: Context[World]) -> Outcome:
    """The data are the new version's and sound: a rebuild starts it where it could not be started."""
    snapshots.let_go(ctx, ctx.memory["snapshot"])
    if ctx.memory.get("open"):
        ctx.record(lambda session: servers.settle(session, ctx.subject))
    return None


fallback.give_back(upgrade_instance)


@upgrade_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    fallback.blame(session, run, fault, during=Task.UPGRADING)
