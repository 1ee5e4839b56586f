"""Restart the database server of an instance; brings back the whole guest where that is gone."""

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

restart_instance: Workflow[World] = Workflow("restart_instance", cancellable=True, event="instance_restart")


def admit(session: Session, caller: Caller, instance: Instance) -> None:
    """Raises Busy while something else is being done to the instance, or its owner wants it stopped."""
    servers.require_running(instance)
    queue.enqueue(session, restart_instance, instance.id, project_id=caller.project_id)
    instance.task, instance.updated = Task.REBOOTING, clock.now()


@restart_instance.step()
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@restart_instance.step(minutes=5)
def restart(ctx: Context[World]) -> Outcome:
    servers.check(ctx)
    return starting.ask(ctx, "restart", "the database server is restarting")


@restart_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@restart_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """Nothing was changed but a process: the instance stays what it was, and says what went wrong."""
    servers.blame(session, run, fault, task=Task.NONE)
