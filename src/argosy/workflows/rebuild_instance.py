"""Give an instance a new server over its data: agent, credential, certificate and limits anew, everything else kept.

A new server is a new generation: what the old one knew opens nothing any more. The steps are functions of the
instance's row alone, so that whoever changes the row first (another version of the engine) gets a server to it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import enrolment
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import archives, change_modules, module_rows, servers, starting
from argosy.workflows.world import World

rebuild_instance: Workflow[World] = Workflow("rebuild_instance", event="instance_rebuild")


def admit(session: Session, caller: Caller, instance: Instance) -> None:
    """Also a cure for what failed half way, once it had data. Raises Busy."""
    if instance.task != Task.ERROR or not instance.quota_held:
        servers.require_idle(instance)
    generation = instance.generation + 1
    queue.enqueue(session, rebuild_instance, instance.id, project_id=caller.project_id, generation=generation)
    instance.task, instance.updated = Task.BUILDING, clock.now()


@rebuild_instance.step()
def stop(ctx: Context[World]) -> Outcome:
    """The old server ends in good order where it can; it may be the very thing that is broken."""
    return servers.put_down(ctx)


@rebuild_instance.step()
def identity(ctx: Context[World]) -> Outcome:
    succeed(ctx, ctx.memory["generation"])
    return None


@rebuild_instance.step()
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@rebuild_instance.step(minutes=15)
def guest(ctx: Context[World]) -> Outcome:
    return raise_up(ctx)


@rebuild_instance.step(minutes=5)
def modules(ctx: Context[World]) -> Outcome:
    """What the old guest was given; the new one has nothing of it."""
    servers.check(ctx)
    return change_modules.give(ctx)


@rebuild_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@rebuild_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """The data are untouched: another rebuild goes on from here."""
    servers.blame(session, run, fault, task=Task.ERROR)


def succeed(ctx: Context[World], generation: int) -> None:
    """From the end of this step on only a guest of this generation is known; nobody waits for the old one's answers."""
    ctx.record(lambda session: expect(session, ctx.subject, generation))


def expect(session: Session, instance_id: str, generation: int) -> None:
    archives.interrupt(session, instance_id)  # before what the old guest said of it is forgotten
    enrolment.expect(session, instance_id, generation)
    instance = session.get_one(Instance, instance_id)
    instance.generation = generation
    module_rows.expect_again(session, instance)


def raise_up(ctx: Context[World]) -> Outcome:
    """Have the new guest bring the data's server to life, with all that it is to be told; stopped if that is wanted."""
    servers.check(ctx)
    with ctx.database.read() as session:
        run = session.get_one(Instance, ctx.subject).wanted == servers.RUNNING
    return starting.ask(ctx, "rebuild", "the database server is starting on its new server", run=run)
