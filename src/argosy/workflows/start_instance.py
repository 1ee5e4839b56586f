"""Start the database server of an instance that its owner had stopped."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import servers, starting
from argosy.workflows.world import World

start_instance: Workflow[World] = Workflow("start_instance", cancellable=True, event="instance_start")


def admit(session: Session, caller: Caller, instance: Instance) -> None:
    """Raises Busy while something is being done to the instance. Where it runs, it is made sure that it does."""
    servers.require_idle(instance)
    queue.enqueue(session, start_instance, instance.id, project_id=caller.project_id)
    instance.task, instance.wanted, instance.updated = Task.REBOOTING, servers.RUNNING, clock.now()


@start_instance.step()
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@start_instance.step(minutes=15)
def start(ctx: Context[World]) -> Outcome:
    servers.check(ctx)
    return starting.ask(ctx, "start", "the database server is starting")


@start_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@start_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """It is to run, and the guest goes on trying: what the owner sees is the server's health."""
    servers.blame(session, run, fault, task=Task.NONE)
