"""What was deleted and not wanted back in its time goes for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Backup, Instance
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.status import Task
from argosy.settings import Settings
from argosy.workflows import backup_quarantine, delete_backup
from argosy.workflows.delete_instance import delete_instance
from argosy.workflows.world import World

end_quarantines: Workflow[World] = Workflow("end_quarantines")

AT_ONCE = 50


@end_quarantines.step()
def instances(ctx: Context[World]) -> Outcome:
    over = Instance.deleted & (Instance.quarantined_until <= clock.now()) & (Instance.task != Task.DELETING)
    due = select(Instance.id).where(over).order_by(Instance.quarantined_until).limit(AT_ONCE)
    _each(ctx, due, lambda session, instance_id: purge(session, session.get_one(Instance, instance_id)))
    return None


@end_quarantines.step()
def backups(ctx: Context[World]) -> Outcome:
    settings = ctx.world.settings
    due = select(Backup.id).where(Backup.quarantined_until <= clock.now())
    due = due.order_by(Backup.quarantined_until, Backup.created).limit(AT_ONCE)
    _each(ctx, due, lambda session, backup_id: _purge_backup(session, settings, backup_id))
    return None


def purge(session: Session, instance: Instance) -> None:
    """What waits to be wanted back goes now. Raises Busy."""
    queue.enqueue(session, delete_instance, instance.id, project_id=instance.project_id)
    instance.task = Task.DELETING


def _purge_backup(session: Session, settings: Settings, backup_id: str) -> None:
    """One that is held after all waits on."""
    backup = session.get(Backup, backup_id)
    if backup is not None:
        backup_quarantine.require_free(session, settings, backup)
        delete_backup.begin(session, backup)


def _each(ctx: Context[World], due: Any, act: Callable[[Session, str], None]) -> None:
    """What is busy or held has its turn again; one stops no other."""
    with ctx.database.read() as session:
        names: Sequence[str] = session.scalars(due).all()
    for name in names:
        try:
            with ctx.database.write() as session:
                act(session, name)
        except errors.Rejected:
            continue
