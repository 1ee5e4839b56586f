"""Make an instance's volume larger, under its running server. Never smaller: what has grown stays."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import quotas
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import State
from argosy.settings import Settings
from argosy.workflows import servers, starting
from argosy.workflows.world import World

GIB = 1 << 30

resize_volume: Workflow[World] = Workflow("resize_volume", cancellable=True, event="instance_resize_volume")


def admit(session: Session, settings: Settings, caller: Caller, instance: Instance, gigabytes: int) -> None:
    """Raises BadRequest, Busy, OverQuota. The larger size is held from now on, and given back if it does not come."""
    servers.require_idle(instance)
    _check(settings, instance, gigabytes)
    was = instance.gigabytes
    quotas.reserve(session, settings, instance.project_id, volumes=gigabytes - was)
    queue.enqueue(
        session,
        resize_volume,
        instance.id,
        project_id=caller.project_id,
        to=gigabytes,
        was=was,
        task=instance.task,
        told={"new_size": gigabytes},
    )
    instance.gigabytes, instance.task, instance.updated = gigabytes, Task.RESIZING, clock.now()


def _check(settings: Settings, instance: Instance, gigabytes: int) -> None:
    most = settings.limits.max_volume_gigabytes
    if gigabytes > most:
        raise errors.OverQuota(f"Volume 'size' cannot exceed maximum of {most} GB, {gigabytes} cannot be accepted.")
    if gigabytes <= instance.gigabytes:
        raise errors.BadRequest(
            f"No change was requested: the volume has {instance.gigabytes} GB, and a volume can only become larger."
        )


@resize_volume.step(minutes=30, detour="as_it_is")
def volume(ctx: Context[World]) -> Outcome:
    grown = ctx.world.provider.volumes.grow(ctx.subject, ctx.memory["to"])
    if grown.state is State.FAILED:
        raise errors.CloudFailed(grown.fault)
    return Wait(1, "the volume is growing") if grown.state is State.BUILDING else None


@resize_volume.step(detour="as_it_is")
def told(ctx: Context[World]) -> Outcome:
    """The guest reads its volume's size from its site."""
    with ctx.database.read() as session:
        size = servers.size_of(ctx.world.settings, session.get_one(Instance, ctx.subject))
    servers.check(ctx)
    ctx.world.provider.compute.resize(ctx.subject, size.ram, size.vcpus)
    return None


@resize_volume.step(minutes=15, detour="as_it_is")
def engine(ctx: Context[World]) -> Outcome:
    """Limits that follow from the volume's size, such as that of a log."""
    servers.check(ctx)
    answer = mailbox.ask(ctx, ctx.subject, "configure")
    if answer is None:
        return servers.await_guest(ctx, "the database server is told of its larger volume")
    starting.hear(ctx, answer)
    return None


@resize_volume.step(detour="as_it_is")
def ready(ctx: Context[World]) -> Outcome:
    """Settings that wait for a restart still do."""
    starting.settle(ctx, Task(ctx.memory["task"]))
    return None


@resize_volume.detour()
def as_it_is(ctx: Context[World]) -> Outcome:
    """What is there by now is what is told and held, whatever failed before or after it grew."""
    was = ctx.memory["was"]
    there = ctx.world.provider.volumes.grow(ctx.subject, was)
    if there.state is State.BUILDING:
        return Wait(1, "the volume is growing")
    ctx.record(lambda session: _keep(session, ctx.subject, max(was, there.bytes // GIB)))
    return None


@resize_volume.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.blame(session, run, fault, task=Task(run.memory["task"]))


def _keep(session: Session, instance_id: str, gigabytes: int) -> None:
    """So large, and the quota for no more; a deletion that began meanwhile has given all of it back."""
    instance = session.get_one(Instance, instance_id)
    if instance.quota_held:
        quotas.release(session, instance.project_id, volumes=instance.gigabytes - gigabytes)
    instance.gigabytes = gigabytes
