"""The deployment in numbers, read from the control database. One look takes a few aggregates, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from argosy import __version__, clock
from argosy.db import events
from argosy.db.self_backup import FACT
from argosy.db.tables import Archive, Backup, Command, Drill, Event, Fact, Guest, QuotaUse, Run, Webhook, Worker
from argosy.model import metrics
from argosy.model.backups import Proof
from argosy.model.metrics import Metric, Sample

SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()",
}
SIZE["mariadb"] = SIZE["mysql"]


def samples(session: Session) -> Iterator[Sample]:
    yield Sample(metrics.BUILD, 1, {"version": __version__})
    yield from _grouped(session, metrics.RUNS, Run.workflow, Run.state)
    yield from _due(session)
    yield _counted(session, metrics.WORKERS, select(func.count()).select_from(Worker))
    yield from _guests(session)
    yield from _quotas(session)
    yield from _pool(session)
    yield from _store(session)
    yield from _events(session)
    yield from _grouped(session, metrics.WEBHOOKS, Webhook.state)
    yield from _lags(session)
    yield from _archives(session)
    yield from _grouped(session, metrics.BACKUPS, Backup.state, Backup.proof)
    yield from _grouped(session, metrics.DRILLS, Drill.state)
    proven = session.scalar(select(func.max(Backup.proven_at)).where(Backup.proof == Proof.RESTORABLE))
    if proven is not None:
        yield Sample(metrics.DRILL_LATEST, proven)
    kept = session.get(Fact, FACT)
    if kept is not None:
        yield Sample(metrics.SELF_BACKUP, kept.value["at"])
    size = session.execute(text(SIZE[session.get_bind().dialect.name])).scalar()
    yield Sample(metrics.DATABASE_SIZE, float(size or 0))


def _archives(session: Session) -> Iterator[Sample]:
    rows = select(Archive.level, func.count()).where(Archive.enabled.is_(True)).group_by(Archive.level)
    for level, many in session.execute(rows.order_by(Archive.level)):
        yield Sample(metrics.ARCHIVES, many, {"level": level})


def _due(session: Session) -> Iterator[Sample]:
    """`wake_at` is 0 for what may go on at once: then it is due since it was asked for or woken, which nobody wrote."""
    now = clock.now()
    due = (Run.state == "active", Run.worker.is_(None), Run.wake_at <= now)
    yield _counted(session, metrics.RUNS_DUE, select(func.count()).select_from(Run).where(*due))
    since = session.scalar(select(func.min(Run.wake_at)).where(*due, Run.wake_at > 0))
    begun = session.scalar(select(func.min(Run.created)).where(*due, Run.wake_at == 0, Run.position == 0))
    oldest = min((at for at in (since, begun) if at is not None), default=now)
    yield Sample(metrics.RUN_OLDEST_DUE, max(0.0, now - oldest))


def _guests(session: Session) -> Iterator[Sample]:
    columns = (Guest.health, Guest.connected)
    counts = session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns)).all()
    for health in dict.fromkeys(each for each, _, _ in counts):
        yield Sample(metrics.GUESTS, sum(many for each, _, many in counts if each == health), {"health": health})
    yield Sample(metrics.GUESTS_CONNECTED, sum(many for _, connected, many in counts if connected))
    waiting = select(func.count()).select_from(Command).where(Command.answered.is_(False), Command.cancelled.is_(False))
    yield _counted(session, metrics.COMMANDS_WAITING, waiting)


def _quotas(session: Session) -> Iterator[Sample]:
    for use in session.scalars(select(QuotaUse).order_by(QuotaUse.project_id, QuotaUse.resource)):
        yield Sample(metrics.QUOTA_USED, use.used, {"project": use.project_id, "resource": use.resource})


def _pool(session: Session) -> Iterator[Sample]:
    fact = session.get(Fact, "room")
    for place, seen in (fact.value if fact else {}).items():
        yield Sample(metrics.POOL_SIZE, seen["total"], {"place": place})
        yield Sample(metrics.POOL_USED, seen["used"], {"place": place})


def _store(session: Session) -> Iterator[Sample]:
    fact = session.get(Fact, "store")
    if fact is not None:
        percent = fact.value["percent"]
        yield Sample(metrics.STORE_UP, float(percent is not None or not fact.value["message"]))
        if percent is not None:
            yield Sample(metrics.STORE_USED, percent)


def _events(session: Session) -> Iterator[Sample]:
    last = events.last(session)
    yield Sample(metrics.EVENTS, last)
    at = session.scalar(select(Event.at).where(Event.seq == last))
    if at is not None:
        yield Sample(metrics.EVENT_AGE, at)


def _lags(session: Session) -> Iterator[Sample]:
    later = (Event.project_id == Webhook.project_id) & (Event.seq > Webhook.position)
    oldest = select(Event.at).where(later).order_by(Event.seq).limit(1).scalar_subquery()
    for webhook, at in session.execute(select(Webhook.id, oldest).where(Webhook.state == "active")):
        yield Sample(metrics.WEBHOOK_LAG, max(0.0, clock.now() - at) if at else 0.0, {"webhook": webhook})


def _grouped(session: Session, metric: Metric, *columns: Any) -> Iterator[Sample]:
    for *values, many in session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns)):
        yield Sample(metric, many, dict(zip(metric.labels, values, strict=True)))


def _counted(session: Session, metric: Metric, query: Any) -> Sample:
    return Sample(metric, session.scalar(query) or 0)
