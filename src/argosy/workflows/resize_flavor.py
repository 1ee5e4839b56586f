"""Give an instance another flavor: what it may use, and what its server makes of that.

At no time does a server run with more than it is allowed: what is allowed grows first and shrinks last. The row holds
the larger memory of the two, and its quota, until the end.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import quotas
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.settings import Flavor, Settings
from argosy.workflows import offers, overrides, parameters, servers, starting
from argosy.workflows.servers import Size
from argosy.workflows.world import World

resize_flavor: Workflow[World] = Workflow("resize_flavor", cancellable=True, event="instance_resize_instance")


def admit(session: Session, settings: Settings, caller: Caller, instance: Instance, flavor: Flavor) -> None:
    """Raises BadRequest, Busy, OverQuota."""
    servers.require_idle(instance)
    _check(session, instance, flavor)
    was = servers.size_of(settings, instance)
    if flavor.ram > was.ram:
        quotas.reserve(session, settings, instance.project_id, ram=flavor.ram - was.ram)
    queue.enqueue(
        session,
        resize_flavor,
        instance.id,
        project_id=caller.project_id,
        flavor=flavor.id,
        to=[flavor.ram, flavor.vcpus],
        was=[was.ram, was.vcpus],
        told={"new_flavor_id": flavor.id},
    )
    instance.ram = max(flavor.ram, was.ram)
    instance.task, instance.updated = Task.RESIZING, clock.now()


def _check(session: Session, instance: Instance, flavor: Flavor) -> None:
    offer = offers.get(session, instance.version_id)
    offers.require_flavor(session, offer.version, flavor.id)
    parameters.require_room(
        parameters.menu(session, instance.version_id), overrides.effective(session, instance), flavor.ram
    )
    engine = offer.engine
    if flavor.id == instance.flavor_id:
        raise errors.BadRequest(f"No change was requested: instance {instance.id} has flavor {flavor.id} already.")
    if flavor.ram < engine.smallest_ram:
        raise errors.BadRequest(
            f"flavor {flavor.id} has {flavor.ram} MiB of memory and {engine.title} needs {engine.smallest_ram}:"
            " choose a larger one"
        )


@resize_flavor.step(detour="back")
def allow(ctx: Context[World]) -> Outcome:
    """The larger of both sizes."""
    servers.check(ctx, _larger(ctx))
    return _limited(ctx, _larger(ctx))


@resize_flavor.step(minutes=15, detour="back")
def engine(ctx: Context[World]) -> Outcome:
    """The server takes what is new, or makes do with less."""
    return _fitted(ctx, _size(ctx, "to"))


@resize_flavor.step(minutes=2, detour="back")
def limit(ctx: Context[World]) -> Outcome:
    """Nothing more than the new size; not while the server holds on to more memory."""
    return _limited(ctx, _size(ctx, "to"))


@resize_flavor.step()
def ready(ctx: Context[World]) -> Outcome:
    ctx.record(lambda session: _keep(session, ctx.subject, ctx.memory["to"][0], ctx.memory["flavor"]))
    starting.settle(ctx)
    return None


@resize_flavor.detour(minutes=15)
def back(ctx: Context[World]) -> Outcome:
    """The size that it had, in the same order."""
    return _fitted(ctx, _size(ctx, "was")) or _limited(ctx, _size(ctx, "was"))


@resize_flavor.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """The instance is as large as it was, and gets no bill for what it did not get."""
    _keep(session, run.subject, run.memory["was"][0])
    servers.blame(session, run, fault, task=Task.NONE)


def _fitted(ctx: Context[World], size: Size) -> Outcome:
    """A server that has to be started here is told the larger size: so that is said anew each time."""
    servers.check(ctx, _larger(ctx))
    ctx.world.provider.compute.announce(ctx.subject, size.ram, size.vcpus)
    answer = mailbox.ask(ctx, ctx.subject, "fit", restart=size.ram < _larger(ctx).ram)
    if answer is None:
        return servers.await_guest(ctx, "the database server takes its new size")
    starting.hear(ctx, answer)
    return None


def _limited(ctx: Context[World], size: Size) -> Outcome:
    ctx.world.provider.compute.resize(ctx.subject, size.ram, size.vcpus)
    return None


def _size(ctx: Context[World], name: str) -> Size:
    return Size(*ctx.memory[name])


def _larger(ctx: Context[World]) -> Size:
    was, to = _size(ctx, "was"), _size(ctx, "to")
    return Size(max(was.ram, to.ram), max(was.vcpus, to.vcpus))


def _keep(session: Session, instance_id: str, ram: int, flavor: str = "") -> None:
    """So much memory, and the quota for no more; a deletion that began meanwhile has given all of it back."""
    instance = session.get_one(Instance, instance_id)
    if instance.quota_held:
        quotas.release(session, instance.project_id, ram=instance.ram - ram)
    instance.ram, instance.flavor_id = ram, flavor or instance.flavor_id
