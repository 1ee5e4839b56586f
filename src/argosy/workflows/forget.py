"""Forget what nobody needs any more: old events, and the records of housekeeping."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.tables import Run, RunStep
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.workflows.world import World

forget: Workflow[World] = Workflow("forget")

DAY = 86_400
AT_ONCE = 500
HOUSEKEEPING = (
    "deliver_webhook",
    "end_peeks",
    "expire_archives",
    "expire_logs",
    "expire_undos",
    "forget",
    "look_around",
    "renew_certificates",
    "sweep",
    "watch",
    "watch_archives",
    "watch_room",
    "watch_store",
)
"""Runs that nobody asked for and that are about no instance; those of instances stay with them."""


@forget.step(minutes=60)
def old_events(ctx: Context[World]) -> Outcome:
    before = clock.now() - ctx.world.settings.events.keep_days * DAY
    with ctx.database.write() as session:
        more = events.prune(session, before)
    return Wait(0, "there are more old events") if more else None


@forget.step(minutes=60)
def old_runs(ctx: Context[World]) -> Outcome:
    with ctx.database.write() as session:
        more = _drop(session, clock.now() - DAY)
    return Wait(0, "there are more old records") if more else None


def _drop(session: Session, before: float) -> bool:
    old = (Run.workflow.in_(HOUSEKEEPING), Run.state != "active", Run.ended < before)
    gone = session.scalars(select(Run.id).where(*old).order_by(Run.ended).limit(AT_ONCE)).all()
    session.execute(delete(RunStep).where(RunStep.run_id.in_(gone)))
    session.execute(delete(Run).where(Run.id.in_(gone)))
    return len(gone) == AT_ONCE
