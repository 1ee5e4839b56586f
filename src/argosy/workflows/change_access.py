"""Change who reaches an instance from outside: whether it is public, and from which networks."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import certificates, mailbox
from argosy.model.caller import Caller
from argosy.model.guest import TlsMode
from argosy.model.status import Task
from argosy.providers.base import Port
from argosy.workflows import ports, servers
from argosy.workflows.world import World

change_access: Workflow[World] = Workflow("change_access", cancellable=True, event="instance_access")


def admit(session: Session, caller: Caller, instance: Instance, told: dict[str, Any]) -> Run:
    """What is not told stays as it is. Raises Busy; to become public an instance has to run, for its certificate."""
    had = instance.access or {}
    wanted = {**had, **told}
    if wanted.get("is_public") and not had.get("is_public"):
        servers.require_running(instance)
    else:
        servers.require_idle(instance)
    run = queue.enqueue(
        session,
        change_access,
        instance.id,
        project_id=caller.project_id,
        wanted=wanted,
        had=had,
        task=instance.task,
        told={"access": wanted},
    )
    instance.task, instance.updated = Task.UPDATING, clock.now()
    return run


@change_access.step(minutes=5, detour="give_back")
def network(ctx: Context[World]) -> Outcome:
    """Enforced from here on. A new place is written down, and told once the certificate names it."""
    port = ports.ensure(ctx, ctx.memory["wanted"])
    outcome = ports.waiting(port)
    if outcome is None and port.outside is not None:
        ctx.memory["certify"] = _unnamed(ctx, port)
        ctx.record(lambda session: ports.write(session, ctx.subject, port))
    return outcome


@change_access.step(minutes=5, detour="give_back")
def certificate(ctx: Context[World]) -> Outcome:
    if not ctx.memory.get("certify"):
        return None
    servers.check(ctx)
    answer = mailbox.ask(ctx, ctx.subject, "reissue_certificate")
    return servers.await_guest(ctx, "the certificate is being renewed") if answer is None else None


@change_access.step()
def ready(ctx: Context[World]) -> Outcome:
    ctx.record(lambda session: _tell(session, ctx.subject, ctx.memory["wanted"]))
    ctx.record(lambda session: servers.settle_unheard(session, ctx.subject, Task(ctx.memory["task"])))
    return None


@change_access.detour(minutes=2)
def give_back(ctx: Context[World]) -> Outcome:
    """As it was before, for whoever was let in then."""
    outcome = ports.waiting(ports.ensure(ctx, {"is_public": False, **ctx.memory["had"]}))
    if outcome is None:
        ctx.record(lambda session: _tell(session, ctx.subject, ctx.memory["had"]))
    return outcome


@change_access.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.blame(session, run, fault, task=Task(run.memory["task"]))


def _unnamed(ctx: Context[World], port: Port) -> bool:
    """Does what the server shows lack a name by which clients will connect?"""
    with ctx.database.read() as session:
        mode = session.get_one(Instance, ctx.subject).tls_mode
        named = certificates.endpoint_names(session, ctx.subject, certified=True)
    hosts = port.outside.hosts if port.outside else ()
    return mode != TlsMode.OFF and not {*hosts} <= {*named}


def _tell(session: Session, instance_id: str, access: dict[str, Any]) -> None:
    """What the owner reads from now on."""
    instance = session.get_one(Instance, instance_id)
    instance.access, instance.updated = access or None, clock.now()
    if not access.get("is_public"):
        ports.close(session, instance_id)
