"""Take an instance to a later version of its datastore: a new server over its data, which makes them its own first.

Until the new version has answered, with everything there that was there before, nobody but its agent reaches it and
the volume is kept as it was. So whatever fails before that, the instance is given back: its volume as it was, its old
version, and no client's write lost, because there was none. The row changes at that point and not before; from then on
the way leads forward only.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import DatastoreVersion, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import Feature, State
from argosy.workflows import overrides, rebuild_instance, servers, upgrades
from argosy.workflows.world import World

upgrade_instance: Workflow[World] = Workflow("upgrade_instance", cancellable=True, event="instance_upgrade")

DAY = 24 * 60
"""Minutes in which what gives an instance back is tried again and again: nothing else would help it."""


def admit(session: Session, caller: Caller, instance: Instance, version: DatastoreVersion) -> None:
    """Raises Busy, BadRequest, Unprocessable."""
    servers.require_running(instance)
    upgrades.require(session, instance, version)
    queue.enqueue(
        session,
        upgrade_instance,
        instance.id,
        project_id=caller.project_id,
        to=version.id,
        generation=instance.generation,
        snapshot=str(uuid.uuid5(uuid.UUID(instance.id), f"as generation {instance.generation} left it")),
        task=instance.task,
        told={"datastore_version": version.name},
    )
    instance.task, instance.updated = Task.UPGRADING, clock.now()


@upgrade_instance.step(detour="back")
def stop(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


@upgrade_instance.step(detour="back")
def keep(ctx: Context[World]) -> Outcome:
    """The volume as the old version left it. Where that cannot be, only such versions are gone to as leave it so."""
    if Feature.SNAPSHOT in ctx.world.provider.features:
        ctx.world.provider.volumes.snapshot(ctx.subject, ctx.memory["snapshot"])
        ctx.memory["kept"] = True
    return None


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
    settings = overrides.current(ctx, version_id=ctx.memory["to"])
    answer = mailbox.ask(ctx, ctx.subject, "upgrade", overrides=settings)
    if answer is None:
        return servers.await_guest(ctx, "the data are made those of the new version, and looked at")
    ctx.memory["fault"] = answer.get("fault")
    return None


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
    answer = mailbox.ask(ctx, ctx.subject, "start", overrides=overrides.current(ctx))
    if answer is None:
        return servers.await_guest(ctx, "the new version is starting")
    ctx.memory["open"] = True
    return None


@upgrade_instance.step(detour="onward")
def let_go(ctx: Context[World]) -> Outcome:
    ctx.world.provider.volumes.delete_snapshot(ctx.memory["snapshot"])
    return None


@upgrade_instance.step(minutes=240, detour="onward")
def measure(ctx: Context[World]) -> Outcome:
    """Statistics. The server is there without them, and slower: a failure is told, and is none of the upgrade."""
    servers.check(ctx)
    try:
        answer = mailbox.ask(ctx, ctx.subject, "measure")
    except (errors.GuestFailed, errors.Rejected) as error:
        ctx.memory["fault"] = ctx.memory.get("fault") or f"statistics were not taken: {error.message}"
        return None
    return servers.await_guest(ctx, "the new version takes its statistics") if answer is None else None


@upgrade_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    fault = ctx.memory.get("fault")
    ctx.record(lambda session: servers.settle(session, ctx.subject))
    ctx.record(lambda session: overrides.note(session, ctx.subject, fault))
    return None


@upgrade_instance.detour()
def onward(ctx: Context[World]) -> Outcome:
    """The data are the new version's and sound: a rebuild starts it where it could not be started."""
    ctx.world.provider.volumes.delete_snapshot(ctx.memory["snapshot"])
    if ctx.memory.get("open"):
        ctx.record(lambda session: servers.settle(session, ctx.subject))
    return None


@upgrade_instance.detour(minutes=DAY)
def back(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


@upgrade_instance.detour(minutes=DAY, after="back")
def data_back(ctx: Context[World]) -> Outcome:
    return _patiently(lambda: _reverted(ctx)) if ctx.memory.get("kept") and not _deleted(ctx) else None


@upgrade_instance.detour(minutes=DAY, after="data_back")
def let_go_back(ctx: Context[World]) -> Outcome:
    """The volume is what the snapshot was."""
    ctx.world.provider.volumes.delete_snapshot(ctx.memory["snapshot"])
    return None


@upgrade_instance.detour(after="let_go_back")
def identity_back(ctx: Context[World]) -> Outcome:
    rebuild_instance.succeed(ctx, ctx.memory["generation"] + 2)
    return None


@upgrade_instance.detour(minutes=DAY, after="identity_back")
def server_back(ctx: Context[World]) -> Outcome:
    return None if _deleted(ctx) else _patiently(lambda: servers.begin(ctx))


@upgrade_instance.detour(minutes=60, after="server_back")
def guest_back(ctx: Context[World]) -> Outcome:
    if _deleted(ctx):
        return None
    outcome = rebuild_instance.raise_up(ctx)
    if outcome is None:
        ctx.record(lambda session: servers.settle(session, ctx.subject, Task(ctx.memory["task"])))
    return outcome


@upgrade_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """What was given back, or has come through, is as good as before; else a rebuild goes on from here."""
    servers.note(session, run, fault)
    if session.scalar(select(Instance.task).where(Instance.id == run.subject)) == Task.UPGRADING:
        servers.blame(session, run, fault, task=Task.ERROR)


def _reverted(ctx: Context[World]) -> Outcome:
    volume = ctx.world.provider.volumes.revert(ctx.subject, ctx.memory["snapshot"])
    if volume.state is State.FAILED:
        raise errors.CloudFailed(volume.fault)
    return Wait(1, "the volume becomes what it was") if volume.state is State.BUILDING else None


def _patiently(act: Callable[[], Outcome]) -> Outcome:
    try:
        return act()
    except errors.CloudFailed as error:
        return Wait(30, error.message)


def _deleted(ctx: Context[World]) -> bool:
    """Its owner does not want it any more: it need not be given back."""
    with ctx.database.read() as session:
        return session.get_one(Instance, ctx.subject).task == Task.DELETING
