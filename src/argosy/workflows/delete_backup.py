"""Delete a backup, and with it all that builds on it: the latest first, so that no chain is ever cut in the middle.

The manifest goes before the parts: what is half deleted is no backup any more, and nobody takes it for one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import quotas
from argosy.db.tables import Backup, Drill, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.model.backups import RUNNING, State
from argosy.settings import Settings
from argosy.workflows import backup_rows, snapshots
from argosy.workflows.world import World

delete_backup: Workflow[World] = Workflow("delete_backup", event="backup_delete")
retry_deletions: Workflow[World] = Workflow("retry_deletions")

DAY = 86_400.0
AT_ONCE = 100
LATER = 3600.0
"""Seconds after which a deletion that has failed is tried again."""


def admit(session: Session, settings: Settings, backup: Backup) -> None:
    """The quota is given back at once. Raises Unprocessable for one that is being made, Busy for one in use."""
    family = [*backup_rows.descendants(session, backup), backup]
    oldest = clock.now() - settings.backups.running_expires_days * DAY
    for each in family:
        if each.state in RUNNING and each.created > oldest:
            raise errors.Unprocessable(f"The backup {each.id} is being made: it is {each.state}. Cancel it, or wait.")
    begin(session, backup)


def begin(session: Session, backup: Backup) -> None:
    """Whoever may decide that it goes has decided. Begun already, nothing happens; raises Busy for one in use."""
    if _under_way(session, backup):
        return
    family = [*backup_rows.descendants(session, backup), backup]
    for each in family:
        release(session, each)
    queue.enqueue(
        session,
        delete_backup,
        backup.id,
        also=[each.id for each in family[:-1]],
        project_id=backup.project_id,
        told={"backup_id": backup.id, "instance_id": backup.instance_id, "name": backup.name},
    )


def release(session: Session, backup: Backup) -> None:
    if backup.quota_held:
        quotas.release(session, backup.project_id, backups=1)
        backup.quota_held = False


def _under_way(session: Session, backup: Backup) -> bool:
    mine = (Run.workflow == delete_backup.name) & (Run.subject == backup.id) & (Run.state == "active")
    return session.scalar(select(Run.id).where(mine).limit(1)) is not None


@delete_backup.step(minutes=24 * 60)
def objects(ctx: Context[World]) -> Outcome:
    """One backup a time, children before what they stand on."""
    family = _family(ctx)
    if not family:
        return None
    goes = family[0]
    if backup_rows.is_ours(goes):
        ctx.world.store.delete(backup_rows.manifest_key(goes))
        ctx.world.store.delete_prefix(backup_rows.place(goes))
    if goes.snapshot:
        snapshots.let_go(ctx, goes.snapshot)
    ctx.record(lambda session: _forget(session, goes.id))
    return Wait(0, f"{len(family) - 1} more are to be deleted") if len(family) > 1 else None


def _family(ctx: Context[World]) -> Sequence[Backup]:
    with ctx.database.read() as session:
        backup = session.get(Backup, ctx.subject)
        return [*backup_rows.descendants(session, backup), backup] if backup else []


def _forget(session: Session, backup_id: str) -> None:
    backup = session.get(Backup, backup_id)
    if backup is not None:
        session.delete(backup)
    for drill in session.scalars(select(Drill).where(Drill.backup_id == backup_id)):
        session.delete(drill)


@delete_backup.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """What is left says why, and is tried again later."""
    backup = session.get(Backup, run.subject)
    if backup is None:
        return
    left = [each.id for each in (*backup_rows.descendants(session, backup), backup)]
    values = {"state": State.DELETE_FAILED, "fault": fault, "updated": clock.now()}
    session.execute(update(Backup).where(Backup.id.in_(left)).values(values))


@retry_deletions.step()
def again(ctx: Context[World]) -> Outcome:
    """A parent takes its children along, so that only the eldest of a family is begun with."""
    due = (Backup.state == State.DELETE_FAILED) & (Backup.updated < clock.now() - LATER)
    with ctx.database.read() as session:
        waiting = session.scalars(select(Backup.id).where(due).order_by(Backup.updated).limit(AT_ONCE)).all()
    for backup_id in waiting:
        try:
            with ctx.database.write() as session:
                _again(session, backup_id)
        except errors.Busy:
            continue
    return None


def _again(session: Session, backup_id: str) -> None:
    backup = session.get(Backup, backup_id)
    if backup is None or backup.state != State.DELETE_FAILED:
        return
    parent = session.get(Backup, backup.parent_id) if backup.parent_id else None
    if parent is None or parent.state != State.DELETE_FAILED:
        begin(session, backup)
