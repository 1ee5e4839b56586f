"""Stop the database server of an instance until its owner starts it again.

Its guest stays, with init and agent: what the owner wants is written down there too, so that neither a new init nor a
reboot of the machine starts the server.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import servers
from argosy.workflows.world import World

stop_instance: Workflow[World] = Workflow("stop_instance", cancellable=True, event="instance_stop")


def admit(session: Session, caller: Caller, instance: Instance) -> None:
    """Raises Busy while something is being done to the instance. Where it is stopped, it is made sure that it is."""
    servers.require_idle(instance)
    queue.enqueue(session, stop_instance, instance.id, project_id=caller.project_id, was=instance.wanted)
    instance.task, instance.wanted, instance.updated = Task.STOPPING, servers.STOPPED, clock.now()


@stop_instance.step(minutes=10)
def stop(ctx: Context[World]) -> Outcome:
    servers.check(ctx)
    answer = mailbox.ask(ctx, ctx.subject, "stop")
    return servers.await_guest(ctx, "the database server is stopping") if answer is None else None


@stop_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    ctx.record(lambda session: servers.settle(session, ctx.subject))
    return None


@stop_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """It may still run: so its owner is told what they had before."""
    session.get_one(Instance, run.subject).wanted = run.memory["was"]
    servers.blame(session, run, fault, task=Task.NONE)
