"""What several operations do with an instance's server and row, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.session import Database, ring
from argosy.db.tables import Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.guest import TAKEN_BACK
from argosy.model.status import Facts, Task, status
from argosy.providers.base import Server, ServerSpec, State
from argosy.settings import Settings
from argosy.workflows import boot, offers
from argosy.workflows.world import World

LOOKS = 450
"""How often a server is looked at while it stops, five times a second."""
GONE = frozenset({State.STOPPED, State.ABSENT})


@dataclass(frozen=True)
class Size:
    """What a server may use."""

    ram: int
    """MiB"""
    vcpus: float


def ensure(ctx: Context[World]) -> Outcome:
    """The step that makes sure that the instance's server runs."""
    server = ctx.world.provider.compute.ensure(spec(ctx))
    _judge(server)
    return None if server.state is State.ACTIVE else Wait(0.2, "the server is starting")


def begin(ctx: Context[World], *, version_id: str = "") -> Outcome:
    """The step that has the instance's server started; whoever waits for its guest sees whether it came up."""
    _judge(ctx.world.provider.compute.ensure(spec(ctx, version_id=version_id)))
    return None


def put_down(ctx: Context[World]) -> Outcome:
    """The step that stops the instance's server, and with it the engine by its own signal.

    One that does not stop in time is ended: it may be the very thing that is broken.
    """
    compute = ctx.world.provider.compute
    looks = ctx.memory["looks"] = ctx.memory.get("looks", 0) + 1
    if looks > LOOKS:
        compute.delete(ctx.subject)
        return None
    server = compute.stop(ctx.subject)
    return Wait(0.2, "the old server is stopping") if server.state in {State.ACTIVE, State.BUILDING} else None


def await_guest(ctx: Context[World], doing: str, *, guest: str = "") -> Wait:
    """A wait for the answer of a guest (the subject's own, where none is named), whose reason tells one that works from
    one that cannot reach us, and what that one said last: its agent may die at every start.
    """
    with ctx.database.read() as session:
        seen = session.get(Guest, guest or ctx.subject)
    if seen is not None and seen.connected:
        return Wait(5, doing)
    place = f"{ctx.world.settings.conductor.host}:{ctx.world.settings.conductor.port}"
    words = ctx.world.provider.compute.look(guest or ctx.subject).words
    last = f" (the last that it said: {words})" if words else ""
    return Wait(1, f"the guest has not reached the conductor at {place} yet{last}: `argosy status` tells its health")


def check(ctx: Context[World], size: Size | None = None, *, version_id: str = "", instance_id: str = "") -> None:
    """Whoever waits for a guest (the subject's own, where no instance is named) asks this each time: a server that died
    meanwhile is started again.

    Raises CloudFailed for one that cannot be.
    """
    server = ctx.world.provider.compute.look(instance_id or ctx.subject)
    if server.state in GONE:
        wanted = spec(ctx, size, version_id=version_id, instance_id=instance_id)
        server = ctx.world.provider.compute.ensure(wanted)
    _judge(server)


def _judge(server: Server) -> None:
    if server.state is State.FAILED:
        raise errors.CloudFailed(server.fault)


def spec(ctx: Context[World], size: Size | None = None, *, version_id: str = "", instance_id: str = "") -> ServerSpec:
    """The server of an instance, from its row (`size`: of another size; `version_id`: of the version that its data are
    to become): the same each time it is asked for.
    """
    with ctx.database.read() as session:
        instance = session.get_one(Instance, instance_id or ctx.subject)
        offer = offers.get(session, version_id or instance.version_id)
        before = offers.get(session, instance.version_id).version.number
    size = size or size_of(ctx.world.settings, instance)
    number = offer.version.number
    return ServerSpec(
        name=instance.id,
        generation=instance.generation,
        engine=offer.engine.name,
        version=number,
        ram=size.ram,
        vcpus=size.vcpus,
        volume=instance.id,
        port=instance.id,
        tls=instance.tls_mode,
        boot=boot.document(ctx.world, instance.id, instance.generation, offer.engine, number),
        before=before if before != number else "",
    )


def size_of(settings: Settings, instance: Instance) -> Size:
    """Its memory as it was paid for; its processors as the flavor says today. Raises NotFound."""
    return Size(instance.ram, settings.flavor(instance.flavor_id).vcpus)


def settle(session: Session, instance_id: str, task: Task = Task.NONE) -> None:
    """The operation is over and nothing is wrong. A delete that came meanwhile keeps its word."""
    _change(session, instance_id, task=task, fault=None, fault_details=None, fault_at=None)


def settle_unheard(session: Session, instance_id: str, task: Task) -> None:
    """Likewise, of an operation that has not heard its server: what that has taken back still is."""
    fault = session.scalar(select(Instance.fault).where(Instance.id == instance_id))
    if fault and TAKEN_BACK in fault:
        _change(session, instance_id, task=task)
    else:
        settle(session, instance_id, task)


def look_after(database: Database, workflow: Workflow[World], instance_id: str, **memory: Any) -> None:
    """Begin something that nobody asked for, unless something else is being done: its turn comes with the next look."""
    try:
        with database.write() as session:
            queue.enqueue(session, workflow, instance_id, **memory)
    except errors.Busy:
        return


IDLE = (Task.NONE, Task.RESTART_REQUIRED)


def require_idle(instance: Instance) -> None:
    """Raises Busy, in Trove's words, while anything is being done to the instance."""
    if instance.task not in IDLE:
        raise errors.Busy(
            f"Instance {instance.id} is not currently available for an action to be performed"
            f" (instance status was {status(facts(instance))})."
        )


STOPPED = "stopped"
RUNNING = "running"


def require_running(instance: Instance) -> None:
    """Raises Busy unless nothing is being done to the instance and its owner wants it to run."""
    require_idle(instance)
    if instance.wanted == STOPPED:
        raise errors.Busy(
            f"Instance {instance.id} is not currently available for an action to be performed"
            f" (instance status was {status(facts(instance))}): its owner has stopped it, start it first."
        )


def facts(instance: Instance) -> Facts:
    """What its row alone tells of its status."""
    return Facts(instance.task, stopped=instance.wanted == STOPPED)


def recover(session: Session, instance_id: str) -> None:
    """What was wrong is not any more; whatever else is to be done to the instance stays to be done."""
    _change(session, instance_id, fault=None, fault_details=None, fault_at=None)


def note(session: Session, run: Run, fault: str) -> None:
    """Something went wrong that leaves the instance as it was: say so, where the owner looks."""
    mailbox.cancel(session, run.id)
    _change(session, run.subject, fault=fault, fault_at=clock.now())


def blame(session: Session, run: Run, fault: str, *, task: Task) -> None:
    """The operation failed, and left the instance in this state: say why, where the owner looks."""
    note(session, run, fault)
    _change(session, run.subject, task=task)


def _change(session: Session, instance_id: str, **values: Any) -> None:
    mine = (Instance.id == instance_id) & (Instance.task != Task.DELETING)
    session.execute(update(Instance).where(mine).values(updated=clock.now(), **values))
    ring(session, "api")
