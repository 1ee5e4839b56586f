"""Bring back a server that is not running although it should be: after a reboot, or when its init was killed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy.db.tables import Run
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.workflows import ports, servers
from argosy.workflows.world import World

revive_server: Workflow[World] = Workflow("revive_server", cancellable=True, event="instance_revive")


@revive_server.step(minutes=5)
def server(ctx: Context[World]) -> Outcome:
    """The guest's init starts the database server by itself, as it was told last."""
    outcome = servers.ensure(ctx)
    if outcome is None:
        ctx.record(lambda session: servers.recover(session, ctx.subject))
    return outcome


@revive_server.step(minutes=5)
def access(ctx: Context[World]) -> Outcome:
    """Who is to reach it from outside does again; where the host's own address is another by now, at that."""
    port = ports.ensure(ctx)
    outcome = ports.waiting(port)
    if outcome is None:
        ctx.record(lambda session: ports.write(session, ctx.subject, port))
    return outcome


@revive_server.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, fault)
