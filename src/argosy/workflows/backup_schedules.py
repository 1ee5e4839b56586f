"""Take the backups that schedules want, and let go of those that they want no more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.session import Database
from argosy.db.tables import Backup, BackupSchedule, Instance
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.model import retention, schedules
from argosy.model.backups import RESTORABLE, RUNNING, Proof, State
from argosy.model.caller import Caller
from argosy.model.retention import Kept
from argosy.settings import Settings
from argosy.workflows import create_backup, delete_backup
from argosy.workflows.new_backups import NewBackup
from argosy.workflows.world import World

run_schedules: Workflow[World] = Workflow("run_schedules")
prune_backups: Workflow[World] = Workflow("prune_backups")

AT_ONCE = 50
"""Schedules looked at in one go."""
LATE = 3600.0
"""Seconds after which a run that could not be begun is told as missed; it is still caught up."""
MOST = 5000
"""Backups of one schedule that a decision looks at: the oldest first, so that what is too many goes in turns."""


def begin(session: Session, settings: Settings, caller: Caller, schedule: BackupSchedule) -> Backup:
    """A backup as the schedule would have it now. Raises Busy, OverQuota, and what else `create_backup.admit` does."""
    zone = ZoneInfo(schedule.timezone)
    name = f"{schedule.name[:200]} {datetime.fromtimestamp(clock.now(), zone):%Y-%m-%d %H:%M:%S}"
    wanted = NewBackup(
        name=name,
        instance=session.get_one(Instance, schedule.instance_id),
        parent_id=_parent(session, schedule),
        strategy=schedule.strategy,
        purpose="scheduled",
        schedule_id=schedule.id,
    )
    backup = create_backup.admit(session, settings, caller, wanted)
    schedule.last_backup_id = backup.id
    return backup


def _parent(session: Session, schedule: BackupSchedule) -> str | None:
    """What the next one builds on; None when a full one is due, or the last cannot be built on."""
    if schedule.full_every <= 1:
        return None
    newest = select(Backup).where(Backup.schedule_id == schedule.id, Backup.quarantined_until.is_(None))
    last = session.scalars(newest.order_by(Backup.created.desc()).limit(schedule.full_every)).all()
    if not last or last[0].state != State.COMPLETED or last[0].proof == Proof.BROKEN:
        return None
    chain = 1 + next((index for index, each in enumerate(last) if each.parent_id is None), len(last))
    return last[0].id if chain < schedule.full_every else None


@run_schedules.step(minutes=5)
def begin_due(ctx: Context[World]) -> Outcome:
    now = clock.now()
    due = BackupSchedule.paused.is_(False) & (BackupSchedule.next_at <= now)
    there = select(Instance.id).where(Instance.id == BackupSchedule.instance_id, Instance.deleted.is_(False)).exists()
    with ctx.database.read() as session:
        ids = session.scalars(
            select(BackupSchedule.id).where(due, there).order_by(BackupSchedule.next_at).limit(AT_ONCE)
        ).all()
    for schedule_id in ids:
        try:
            with ctx.database.write() as session:
                _begin_one(session, ctx.world.settings, schedule_id, now)
        except errors.ArgosyError as error:
            with ctx.database.write() as session:
                _postpone(session, schedule_id, error, now)
    return None


def _begin_one(session: Session, settings: Settings, schedule_id: str, now: float) -> None:
    """One backup, however many were due meanwhile; the others are counted as missed."""
    schedule = session.get(BackupSchedule, schedule_id, with_for_update=True)
    if schedule is None or schedule.paused or schedule.next_at > now:
        return
    missed = schedules.due(schedule.cron, schedule.timezone, schedule.next_at, now) - 1
    begin(session, settings, Caller("", "argosy", schedule.project_id, ""), schedule)
    schedule.last_at, schedule.fault = now, None
    schedule.next_at = schedules.following(schedule.cron, schedule.timezone, now)
    if missed:
        _miss(session, schedule, missed, "Argosy did not run, or the instance was busy, when they were due")


def _postpone(session: Session, schedule_id: str, error: errors.ArgosyError, now: float) -> None:
    """A busy instance is tried again with every look, until the next run is due; whatever else, the next time."""
    schedule = session.get(BackupSchedule, schedule_id, with_for_update=True)
    if schedule is None:
        return
    schedule.fault = error.message
    times = schedules.due(schedule.cron, schedule.timezone, schedule.next_at, now)
    if isinstance(error, errors.Busy) and times == 1 and now - schedule.next_at < LATE:
        return
    schedule.next_at = schedules.following(schedule.cron, schedule.timezone, now)
    _miss(session, schedule, times, error.message)


def _miss(session: Session, schedule: BackupSchedule, times: int, why: str) -> None:
    schedule.missed += times
    told = {"schedule_id": schedule.id, "name": schedule.name, "missed": times, "message": why}
    kind = "dbaas.backup_schedule_missed"
    events.tell(session, kind, subject=schedule.instance_id, project_id=schedule.project_id, **told)


@prune_backups.step(minutes=60)
def prune(ctx: Context[World]) -> Outcome:
    """One page of schedules after the other, by id."""
    after = ctx.memory.get("after", "")
    with ctx.database.read() as session:
        page = select(BackupSchedule.id).where(BackupSchedule.id > after).order_by(BackupSchedule.id).limit(AT_ONCE)
        ids = session.scalars(page).all()
    for schedule_id in ids:
        _prune_one(ctx.database, schedule_id)
    if len(ids) < AT_ONCE:
        return None
    ctx.memory["after"] = ids[-1]
    return Wait(0, "there are more schedules")


def _prune_one(database: Database, schedule_id: str) -> None:
    """Chain by chain: what is held, restored or built on meanwhile is seen before the next one goes."""
    busy: set[str] = set()
    while True:
        try:
            with database.write() as session:
                chosen = _choose(session, schedule_id, busy)
                if chosen is None:
                    return
                busy.add(chosen.id)
                delete_backup.begin(session, chosen)
        except errors.Busy:
            continue  # somebody reads it: its turn comes again


def _choose(session: Session, schedule_id: str, passed: Collection[str]) -> Backup | None:
    """The first of a chain that may go: what builds on it goes with it."""
    schedule = session.get(BackupSchedule, schedule_id, with_for_update=True)
    if schedule is None or not schedule.retention:
        return None
    mine = select(Backup).where(Backup.schedule_id == schedule_id, Backup.quarantined_until.is_(None))
    backups = session.scalars(mine.order_by(Backup.created).limit(MOST)).all()
    gone = retention.prunable(_seen(session, backups), schedule.retention, clock.now(), schedule.timezone)
    first = (each for each in backups if each.id in gone and each.parent_id not in gone and each.id not in passed)
    return next(first, None)


def _seen(session: Session, backups: Sequence[Backup]) -> list[Kept]:
    """What builds on one of them and is none of the schedule's holds it: it would go with it."""
    ids = [each.id for each in backups]
    foreign = Backup.parent_id.in_(ids) & Backup.id.not_in(ids) & Backup.quarantined_until.is_(None)
    needed = set(session.scalars(select(Backup.parent_id).where(foreign)))
    now = clock.now()
    return [
        Kept(
            id=each.id,
            parent=each.parent_id or "",
            at=each.moment or each.finished or each.created,
            good=each.state in RESTORABLE and each.proof != Proof.BROKEN,
            proven=each.proof == Proof.RESTORABLE,
            held=each.state in RUNNING or each.protected or (each.hold_until or 0.0) > now or each.id in needed,
        )
        for each in backups
    ]


def forget(session: Session, instance_id: str) -> None:
    """The instance is gone: nothing is taken of it any more. Its backups stay."""
    session.execute(delete(BackupSchedule).where(BackupSchedule.instance_id == instance_id))
