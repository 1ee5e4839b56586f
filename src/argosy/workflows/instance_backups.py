"""The backups of an instance that goes, where its owner wants them to go with it."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Backup, Instance
from argosy.settings import Settings
from argosy.workflows import backup_quarantine, delete_backup


def require_free(session: Session, settings: Settings, instance: Instance) -> None:
    """Raises Forbidden when one of them is held, Unprocessable when its owner protects it."""
    for each in session.scalars(_first_of(instance.id)):
        backup_quarantine.require_free(session, settings, each)
        if each.protected:
            raise errors.Unprocessable(f"backup {each.id} is protected: take its protection off first")


def begin_deleting(database: Database, settings: Settings, instance_id: str) -> int:
    """How many could not be begun, because somebody uses them. What is held by now stays."""
    with database.read() as session:
        names = session.scalars(_first_of(instance_id)).all()
    return sum(_busy(database, settings, each.id) for each in names)


def _first_of(instance_id: str) -> Select[Backup]:
    """What stands alone: the others go with it."""
    return select(Backup).where(Backup.instance_id == instance_id, Backup.parent_id.is_(None)).order_by(Backup.id)


def _busy(database: Database, settings: Settings, backup_id: str) -> bool:
    try:
        with database.write() as session:
            backup = session.get(Backup, backup_id)
            if backup is not None:
                backup_quarantine.require_free(session, settings, backup)
                delete_backup.begin(session, backup)
    except errors.Busy:
        return True
    except errors.Forbidden:
        return False
    return False
