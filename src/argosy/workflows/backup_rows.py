"""Backups as rows: what stands on what, and what may be done with one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Backup
from argosy.model import backups
from argosy.model.backups import RESTORABLE, RUNNING, Proof
from argosy.model.caller import Caller

MANIFEST = "manifest.json"
LONGEST_CHAIN = 1000


def find(session: Session, caller: Caller, backup_id: str) -> Backup:
    """Raises NotFound, also for another project's."""
    backup = session.get(Backup, backup_id)
    if backup is None or not (caller.is_admin or backup.project_id == caller.project_id):
        raise errors.NotFound(f"Backup {backup_id} cannot be found.")
    return backup


def place(backup: Backup) -> str:
    """Where all of it is in the store. One that was registered from elsewhere lies where its manifest does."""
    if backup.manifest:
        return backup.manifest.removesuffix(MANIFEST)
    return backups.place(backup.container, backup.project_id, backup.id)


def is_ours(backup: Backup) -> bool:
    """What lies in the store was made as this one; of one that was registered it stays whose it was."""
    return not backup.region and place(backup).endswith(f"/{backup.id}/")


def manifest_key(backup: Backup) -> str:
    return place(backup) + MANIFEST


def chain(session: Session, backup: Backup) -> list[Backup]:
    """All that it takes to restore it, the full one first. Raises Conflict when one of them is gone."""
    found = [backup]
    while found[-1].parent_id:
        parent = session.get(Backup, found[-1].parent_id)
        if parent is None or len(found) > LONGEST_CHAIN:
            raise errors.Conflict(f"backup {backup.id} builds on {found[-1].parent_id}, which is not there any more")
        found.append(parent)
    return found[::-1]


def descendants(session: Session, backup: Backup) -> list[Backup]:
    """All that builds on it, the latest first: none comes after what it stands on."""
    found, level = [backup], [backup.id]
    while level:
        children = session.scalars(select(Backup).where(Backup.parent_id.in_(level)).order_by(Backup.id)).all()
        level = [each.id for each in children]
        found.extend(children)
    return found[:0:-1]


def running(instance_id: str) -> ColumnElement[bool]:
    """Of the backups that are being made of it."""
    return (Backup.instance_id == instance_id) & Backup.state.in_(RUNNING)


def require_restorable(session: Session, backup: Backup) -> list[Backup]:
    """Its chain. Raises Conflict, saying what would help, for one that is not whole, is broken or is deleted."""
    for each in (found := chain(session, backup)):
        if each.state not in RESTORABLE:
            raise errors.Conflict(f"The backup {each.id} is not complete: it is {each.state}.")
        if each.proof == Proof.BROKEN:
            raise errors.Conflict(
                f"The backup {each.id} is broken, as its last trial has shown ({_fault(each)}): use an older one, or"
                " take a new full one. Where that has been mended, `argosy backup prove` tries it again"
            )
        if each.quarantined_until is not None:
            raise errors.Conflict(f"The backup {each.id} was deleted: bring it back first")
    return found


def _fault(backup: Backup) -> Sequence[str] | str:
    return str(backup.proof_report.get("fault", "it could not be restored"))
