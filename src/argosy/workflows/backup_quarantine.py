"""Backups that were deleted and have not gone yet: a protected one waits to be wanted back, with all that builds on it.

Also who may not delete a backup at all yet: an operator's hold and the deployment's minimum retention bind everybody.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events, quotas
from argosy.db.tables import Backup
from argosy.model.backups import RUNNING
from argosy.settings import Settings
from argosy.workflows import backup_rows, delete_backup

HOUR = 3600.0
DAY = 24 * HOUR


def held_until(settings: Settings, backup: Backup) -> float:
    """Until when nobody deletes it; in the past: they may. What was never finished is of no use, and is not held."""
    least = (backup.finished or 0.0) + settings.backups.minimum_retention_days * DAY if backup.finished else 0.0
    return max(backup.hold_until or 0.0, least)


def require_free(session: Session, settings: Settings, backup: Backup) -> None:
    """Raises Forbidden while it, or one that builds on it and would go with it, is held."""
    for each in (backup, *backup_rows.descendants(session, backup)):
        if (until := held_until(settings, each)) > clock.now():
            raise errors.Forbidden(
                f"backup {each.id} is held until {clock.timestamp(until)}Z: nobody can delete it before"
            )


def delete(session: Session, settings: Settings, backup: Backup) -> None:
    """As its owner asks. Raises Forbidden, Unprocessable, Busy."""
    require_free(session, settings, backup)
    family = [backup, *backup_rows.descendants(session, backup)]
    if not any(each.protected for each in family):
        delete_backup.admit(session, settings, backup)
        return
    if any(each.state in RUNNING for each in family):
        raise errors.Unprocessable(f"Backup {backup.id}, or one that builds on it, is being made: cancel it, or wait.")
    until = clock.now() + settings.backups.quarantine_hours * HOUR
    for each in family:
        each.quarantined_until, each.updated = each.quarantined_until or until, clock.now()
        delete_backup.release(session, each)
    _tell(session, "dbaas.backup_quarantine", backup)


def bring_back(session: Session, settings: Settings, backup: Backup) -> None:
    """With all that it stands on, and no more. Raises OverQuota, Conflict."""
    for each in backup_rows.chain(session, backup):
        if each.quarantined_until is not None:
            quotas.reserve(session, settings, each.project_id, backups=1)
            each.quarantined_until, each.quota_held, each.updated = None, True, clock.now()
    _tell(session, "dbaas.backup_bring_back", backup)


def quarantined(session: Session, backup_id: str) -> Backup | None:
    """The backup, if it waits to be wanted back."""
    waiting = (Backup.id == backup_id) & Backup.quarantined_until.is_not(None)
    return session.scalar(select(Backup).where(waiting).with_for_update())


def _tell(session: Session, kind: str, backup: Backup) -> None:
    told = {"backup_id": backup.id, "name": backup.name}
    events.tell(session, kind, subject=backup.instance_id, project_id=backup.project_id, **told)
