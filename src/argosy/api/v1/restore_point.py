"""What a new instance is to begin as: the key `restorePoint` of a create request."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from argosy.api.exchange import Request
from argosy.api.fields import Fields
from argosy.api.v1 import recovery
from argosy.db.tables import Backup
from argosy.workflows import backup_rows, restoring
from argosy.workflows.restoring import Restore

KEY = "restorePoint"


def read(session: Session, request: Request, fields: Fields) -> Restore | None:
    """None where nothing is to be restored: clients that could send the key empty. Raises BadRequest, and what
    `recovery.resolve` does for a moment of an instance.
    """
    point = fields.object(KEY)
    if not point.values:
        return None
    if "instance" in point:
        return recovery.resolved(session, request, point)
    named = point.needed_text("backupRef", most=1000).rpartition("/")[2]
    try:
        return Restore(str(uuid.UUID(named)))
    except ValueError as error:
        raise point.wrong("backupRef", "must be the id of a backup") from error


def backup(session: Session, request: Request, restore: Restore) -> Backup:
    """Raises NotFound, also for another project's, and Conflict for one that nothing can be restored from."""
    found = backup_rows.find(session, request.caller, restore.backup_id)
    backup_rows.require_restorable(session, found)
    return found


def examine(request: Request, restore: Restore) -> None:
    """What can be seen of the store at once is told at once. Raises NotFound, Conflict."""
    services = request.services
    with services.database.read() as session:
        found = backup(session, request, restore)
    restoring.examine(services.settings, services.database, found)
