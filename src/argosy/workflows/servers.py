"""What several operations do with an instance's server and row, written once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.session import Database, ring
from argosy.db.tables import Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.status import Facts, Task, status
from argosy.providers.base import Server, ServerSpec, State
from argosy.workflows import boot, offers
from argosy.workflows.world import World


def ensure(ctx: Context[World]) -> Outcome:
    """The step that makes sure that the instance's server runs."""
    server = ctx.world.provider.compute.ensure(spec(ctx))
    _judge(server)
    return None if server.state is State.ACTIVE else Wait(0.2, "the server is starting")


def begin(ctx: Context[World]) -> Outcome:
    """The step that has the instance's server started; whoever waits for its guest sees whether it came up."""
    _judge(ctx.world.provider.compute.ensure(spec(ctx)))
    return None


def await_guest(ctx: Context[World], doing: str) -> Wait:
    """A wait for the guest's answer, whose reason tells a guest that works from one that cannot reach us."""
    with ctx.database.read() as session:
        guest = session.get(Guest, ctx.subject)
    if guest is not None and guest.connected:
        return Wait(5, doing)
    place = f"{ctx.world.settings.conductor.host}:{ctx.world.settings.conductor.port}"
    return Wait(5, f"the guest has not reached the conductor at {place} yet: `argosy status` tells its health")


def check(ctx: Context[World]) -> None:
    """A server that died while we wait for its guest is told at once. Raises CloudFailed."""
    _judge(ctx.world.provider.compute.look(ctx.subject))


def _judge(server: Server) -> None:
    if server.state is State.FAILED:
        raise errors.CloudFailed(server.fault)


def spec(ctx: Context[World]) -> ServerSpec:
    """The server of an instance, from its row: the same each time it is asked for."""
    with ctx.database.read() as session:
        instance = session.get_one(Instance, ctx.subject)
        offer = offers.get(session, instance.version_id)
    flavor = ctx.world.settings.flavor(instance.flavor_id)
    number = offer.version.number
    return ServerSpec(
        name=instance.id,
        generation=instance.generation,
        engine=offer.engine.name,
        version=number,
        ram=instance.ram,
        vcpus=flavor.vcpus,
        volume=instance.id,
        port=instance.id,
        tls=instance.tls_mode,
        boot=boot.document(ctx.world, instance.id, instance.generation, offer.engine, number),
    )


def settle(session: Session, instance_id: str) -> None:
    """The operation is over and nothing is wrong. A delete that came meanwhile keeps its word."""
    _change(session, instance_id, task=Task.NONE, fault=None, fault_details=None, fault_at=None)


def look_after(database: Database, workflow: Workflow[World], instance_id: str) -> None:
    """Begin something that nobody asked for, unless something else is being done: its turn comes with the next look."""
    try:
        with database.write() as session:
            queue.enqueue(session, workflow, instance_id)
    except errors.Busy:
        return


IDLE = (Task.NONE, Task.RESTART_REQUIRED)


def require_idle(instance: Instance) -> None:
    """Raises Busy, in Trove's words, while anything is being done to the instance."""
    if instance.task not in IDLE:
        raise errors.Busy(
            f"Instance {instance.id} is not currently available for an action to be performed"
            f" (instance status was {status(Facts(instance.task))})."
        )


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
