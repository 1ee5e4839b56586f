"""Give an instance's server a new certificate, without a restart and without dropping a connection.

One that its owner brought is never replaced: its coming end is told instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.session import Database
from argosy.db.tables import Certificate, Endpoint, Instance, Run
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.guest import TlsMode
from argosy.workflows import servers
from argosy.workflows.world import World

renew_certificate: Workflow[World] = Workflow("renew_certificate", cancellable=True, event="certificate_renew")
renew_certificates: Workflow[World] = Workflow("renew_certificates")

DAY = 86_400
AT_ONCE = 100
"""Instances in one turn: the rest comes in the next."""
WARNINGS = (30, 14, 7, 3, 1, 0)
"""Days before its end at which the owner of a brought certificate is told."""


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


@renew_certificates.step()
def warn(ctx: Context[World]) -> Outcome:
    ctx.record(_warn)
    return None


def _due(database: Database, before: float) -> Sequence[str]:
    """Instances with a certificate of ours that ends before then, and that nothing is being done to."""
    ends = or_(Endpoint.certificate_until.is_(None), Endpoint.certificate_until < before)
    settled = Instance.deleted.is_(False) & Instance.task.in_(servers.IDLE) & (Instance.tls_mode != TlsMode.OFF)
    query = (
        select(Instance.id)
        .join(Endpoint, Endpoint.instance_id == Instance.id)
        .outerjoin(Certificate, Certificate.instance_id == Instance.id)
        .where(ends, settled, Certificate.brought.is_(None))
        .order_by(Endpoint.certificate_until)
        .limit(AT_ONCE)
    )
    with database.read() as session:
        return session.scalars(query).unique().all()


def warning(days: float) -> int | None:
    """The last warning that is due when so many days are left."""
    return min((each for each in WARNINGS if days <= each), default=None)


def _warn(session: Session) -> None:
    soon = Endpoint.certificate_until < clock.now() + max(WARNINGS) * DAY
    ours = (Endpoint.instance_id == Certificate.instance_id) & (Instance.id == Certificate.instance_id)
    rows = select(Certificate, Endpoint.certificate_until).where(
        ours, soon, Certificate.brought.is_not(None), Instance.deleted.is_(False), Instance.tls_mode != TlsMode.OFF
    )
    for kept, until in session.execute(rows).unique().all():
        now_due = warning(((until or 0.0) - clock.now()) / DAY)
        if now_due is not None and (kept.told is None or now_due < kept.told):
            kept.told = now_due
            events.tell(session, "dbaas.certificate_ending", subject=kept.instance_id, days=now_due, expire_at=until)
