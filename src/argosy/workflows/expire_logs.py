"""Published parts of logs do not stay for ever."""

from __future__ import annotations

from sqlalchemy import select

from argosy import clock
from argosy.db.tables import LogObject
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.workflows import change_log
from argosy.workflows.world import World

expire_logs: Workflow[World] = Workflow("expire_logs")

AT_ONCE = 200


@expire_logs.step(minutes=60)
def expire(ctx: Context[World]) -> Outcome:
    before = clock.now() - ctx.world.settings.logs.kept_seconds
    with ctx.database.read() as session:
        old = select(LogObject).where(LogObject.created < before).order_by(LogObject.created).limit(AT_ONCE)
        rows = list(session.scalars(old))
    change_log.drop(ctx, rows)
    return Wait(0, "more of them have expired") if len(rows) == AT_ONCE else None
