"""Which backup is proven next, as the deployment's settings have it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.session import Database
from argosy.db.tables import Backup, Drill
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.backups import Proof, State
from argosy.settings import Backups
from argosy.workflows import drill_backup
from argosy.workflows.world import World

run_drills: Workflow[World] = Workflow("run_drills")

DAY = 86_400.0
PAUSE = 3600.0
"""Seconds after a drill that could not be held before the next try."""
LOOKED_AT = 200
"""Backups that are looked at for one that is due."""


@run_drills.step(minutes=5)
def begin_due(ctx: Context[World]) -> Outcome:
    options = ctx.world.settings.backups
    with ctx.database.read() as session:
        running = session.scalar(select(func.count()).where(Drill.state == drill_backup.RUNNING)) or 0
        wanted = list(_due(session, options)) if options.drills != "off" else []
    for backup_id in wanted[: max(0, options.drills_at_once - running)]:
        _begin(ctx.database, backup_id)
    return None


def _begin(database: Database, backup_id: str) -> None:
    try:
        with database.write() as session:
            backup = session.get(Backup, backup_id)
            if backup is not None:
                drill_backup.admit(session, backup)
    except errors.Rejected:
        return  # deleted meanwhile, or somebody was faster


def _due(session: Session, options: Backups) -> Iterator[str]:
    """The newest that was never tried first, then the one whose proof is the oldest."""
    now = clock.now()
    there = (Backup.state == State.COMPLETED) & Backup.quarantined_until.is_(None)
    fresh = select(Backup).where(there, Backup.proof == Proof.UNPROVEN).order_by(Backup.finished.desc())
    stale = (Backup.proof == Proof.RESTORABLE) & (Backup.proven_at < now - options.prove_again_days * DAY)
    old = select(Backup).where(there, stale).order_by(Backup.proven_at)
    unproven = chosen(session.scalars(fresh.limit(LOOKED_AT)).all(), options, _proven_lately(session, now))
    for each in (*unproven, *session.scalars(old.limit(LOOKED_AT))):
        if not _paused(session, each.id, now):
            yield each.id


def chosen(backups: Sequence[Backup], options: Backups, lately: frozenset[str]) -> Iterable[Backup]:
    """Of unproven ones, the newest first, those that the policy wants proven; `lately`: instances of which one was."""
    if options.drills == "sampled":
        return [each for each in backups if zlib.crc32(each.id.encode()) % 100 < options.drill_sample_percent]
    if options.drills == "daily":
        newest: dict[str, Backup] = {}
        for each in backups:
            newest.setdefault(each.instance_id, each)
        return [each for each in newest.values() if each.instance_id not in lately]
    return backups


def _proven_lately(session: Session, now: float) -> frozenset[str]:
    lately = (Drill.started > now - DAY) & (Drill.state == drill_backup.PASSED)
    return frozenset(session.scalars(select(Drill.instance_id).where(lately).distinct()))


def _paused(session: Session, backup_id: str, now: float) -> bool:
    """One that nothing was learnt of is left in peace for a while; one that failed is tried once more at once."""
    aborted = (Drill.backup_id == backup_id) & (Drill.state == drill_backup.ABORTED) & (Drill.started > now - PAUSE)
    return session.scalar(select(Drill.id).where(aborted).limit(1)) is not None
