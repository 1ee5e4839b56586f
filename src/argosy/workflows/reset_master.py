"""Give an instance's master user a new password."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.engines.base import Capability
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.guest import Secret
from argosy.workflows import offers, servers
from argosy.workflows.world import World

reset_master: Workflow[World] = Workflow("reset_master", cancellable=True, event="root_enable")


def admit(session: Session, caller: Caller, instance: Instance, password: Secret | None) -> tuple[Run, Secret]:
    """The run and the password that will be good when it is done. Raises Busy, NotSupported."""
    offers.get(session, instance.version_id).engine.require(Capability.ACCOUNTS)
    servers.require_idle(instance)
    password = password or Secret.generate()
    run = queue.enqueue(session, reset_master, instance.id, project_id=caller.project_id, password=password.value)
    return run, password


@reset_master.step(minutes=2)
def guest(ctx: Context[World]) -> Outcome:
    answer = mailbox.ask(ctx, ctx.subject, "reset_master", password=ctx.memory["password"])
    return Wait(5, "the password is being changed") if answer is None else None


@reset_master.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, fault)
