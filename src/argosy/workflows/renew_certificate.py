"""Give an instance's server a new certificate, without a restart and without dropping a connection."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Endpoint, Instance, Run
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.workflows import servers
from argosy.workflows.world import World

renew_certificate: Workflow[World] = Workflow("renew_certificate", cancellable=True)
renew_certificates: Workflow[World] = Workflow("renew_certificates")

DAY = 86_400
AT_ONCE = 100
"""Instances in one turn: the rest comes in the next."""


@renew_certificate.step(minutes=5)
def guest(ctx: Context[World]) -> Outcome:
    answer = mailbox.ask(ctx, ctx.subject, "reissue_certificate")
    return Wait(5, "the certificate is being renewed") if answer is None else None


@renew_certificate.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, fault)


@renew_certificates.step()
def begin(ctx: Context[World]) -> Outcome:
    """At two thirds of a certificate's life there is time for many tries."""
    ahead = ctx.world.settings.tls.certificate_days * DAY / 3
    for instance in _due(ctx.database, clock.now() + ahead):
        servers.look_after(ctx.database, renew_certificate, instance)
    return None


def _due(database: Database, before: float) -> Sequence[str]:
    ends = or_(Endpoint.certificate_until.is_(None), Endpoint.certificate_until < before)
    settled = Instance.deleted.is_(False) & Instance.task.in_(servers.IDLE)
    query = select(Instance.id).join(Endpoint, Endpoint.instance_id == Instance.id).where(ends, settled)
    with database.read() as session:
        return session.scalars(query.order_by(Endpoint.certificate_until).limit(AT_ONCE)).all()
