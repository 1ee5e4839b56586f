"""Start the whole server of an instance anew: init, agent and engine, in a new sandbox, with the code of today."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import servers, starting
from argosy.workflows.world import World

reboot_server: Workflow[World] = Workflow("reboot_server", event="instance_reboot")


def admit(session: Session, caller: Caller, instance: Instance) -> None:
    """Raises Busy while something is being done to the instance."""
    servers.require_idle(instance)
    queue.enqueue(session, reboot_server, instance.id, project_id=caller.project_id)
    instance.task, instance.updated = Task.REBOOTING, clock.now()


@reboot_server.step()
def stop(ctx: Context[World]) -> Outcome:
    return servers.put_down(ctx)


@reboot_server.step()
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@reboot_server.step(minutes=15)
def guest(ctx: Context[World]) -> Outcome:
    """Init starts the engine by itself where it is wanted; it is waited for there."""
    servers.check(ctx)
    with ctx.database.read() as session:
        wanted = session.get_one(Instance, ctx.subject).wanted
    answer = mailbox.ask(ctx, ctx.subject, "start" if wanted == servers.RUNNING else "ping")
    if answer is None:
        return servers.await_guest(ctx, "the database server is starting")
    starting.hear(ctx, answer)
    return None


@reboot_server.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@reboot_server.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.blame(session, run, fault, task=Task.NONE)
