"""Change how an instance's server speaks TLS, and the certificate that it shows. The state before is the way back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.engines.base import Capability
from argosy.guest import certificates, mailbox
from argosy.model.caller import Caller
from argosy.model.guest import TlsMode
from argosy.model.status import Task
from argosy.workflows import offers, servers, starting
from argosy.workflows.world import World

change_tls: Workflow[World] = Workflow("change_tls", cancellable=True, event="instance_tls")


@dataclass(frozen=True)
class Tls:
    """How a server speaks TLS."""

    mode: TlsMode
    brought: dict[str, Any] | None = None
    """certificate, private_key and authority (PEM); None: the deployment's authority issues it"""


def admit(session: Session, caller: Caller, instance: Instance, wanted: Tls) -> Run:
    """Raises Busy, NotSupported."""
    if Capability.TLS not in offers.get(session, instance.version_id).version.capabilities:
        raise errors.NotSupported(
            f"this build of {instance.id}'s database server speaks no TLS: choose another version"
        )
    servers.require_idle(instance)
    had = now(session, instance)
    return queue.enqueue(
        session, change_tls, instance.id, project_id=caller.project_id, wanted=asdict(wanted), had=asdict(had)
    )


def now(session: Session, instance: Instance) -> Tls:
    return Tls(TlsMode(instance.tls_mode), certificates.row(session, instance.id).brought)


def before(session: Session, instance: Instance) -> Tls:
    """What `rollback` leads to. Raises BadRequest when TLS was never changed."""
    kept = certificates.row(session, instance.id)
    if kept.previous_mode is None:
        raise errors.BadRequest(f"TLS of instance {instance.id} was never changed: there is nothing to go back to")
    return Tls(TlsMode(kept.previous_mode), kept.previous)


@change_tls.step(detour="give_back")
def write_down(ctx: Context[World]) -> Outcome:
    """What the guest will be told, and what it will be given."""
    ctx.record(lambda session: _write(session, ctx.subject, ctx.memory["wanted"]))
    return None


@change_tls.step(minutes=5, detour="give_back")
def tell(ctx: Context[World]) -> Outcome:
    return servers.ensure(ctx)


@change_tls.step(minutes=5, detour="give_back")
def guest(ctx: Context[World]) -> Outcome:
    answer = mailbox.ask(ctx, ctx.subject, "change_tls")
    if answer is None:
        return Wait(5, "the database server is being told")
    starting.hear(ctx, answer)
    starting.settle(ctx, Task.RESTART_REQUIRED if answer.get("restart_required") else Task.NONE)
    ctx.record(lambda session: _remember(session, ctx.subject, ctx.memory["had"]))
    return None


@change_tls.detour(minutes=2)
def give_back(ctx: Context[World]) -> Outcome:
    """As it was before: written down first, then told."""
    if not ctx.memory.get("given_back"):
        ctx.memory["given_back"] = True
        ctx.record(lambda session: _write(session, ctx.subject, ctx.memory["had"]))
        return Wait(0, "what was before is put back")
    outcome = servers.ensure(ctx)
    if outcome is None and mailbox.ask(ctx, ctx.subject, "change_tls") is None:
        return Wait(5, "the database server is being told to go back")
    return outcome


@change_tls.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, fault)


def _write(session: Session, instance_id: str, tls: dict[str, Any]) -> None:
    instance, kept = session.get_one(Instance, instance_id), certificates.row(session, instance_id)
    instance.tls_mode, instance.updated = tls["mode"], clock.now()
    kept.brought, kept.told, kept.updated = tls["brought"], None, clock.now()


def _remember(session: Session, instance_id: str, tls: dict[str, Any]) -> None:
    kept = certificates.row(session, instance_id)
    kept.previous_mode, kept.previous = tls["mode"], tls["brought"]
