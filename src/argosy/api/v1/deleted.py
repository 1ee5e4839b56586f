"""What was deleted and can still be brought back: instances and backups that were protected. Ours, not Trove's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.db.tables import Backup, Instance
from argosy.workflows import (
    backup_quarantine,
    bring_back_instance,
    delete_backup,
    end_quarantines,
    quarantine_instance,
)

Row = TypeVar("Row", Instance, Backup)


def instances(request: Request) -> Answer:
    limit = paging.limit(request)
    mine = Instance.deleted & (Instance.project_id == request.caller.project_id)
    waiting = mine & Instance.quarantined_until.is_not(None) & (Instance.id > paging.marker(request))
    with request.services.database.read() as session:
        found = session.scalars(select(Instance).where(waiting).order_by(Instance.id).limit(limit + 1)).all()
    shown, last = paging.cut(found, limit)
    return Answer(200, paging.page(request, "deleted_instances", [_instance(each) for each in shown], last))


def bring_instance_back(request: Request) -> Answer:
    """Built over its data, as it was. Raises OverQuota."""
    with request.services.database.write() as session:
        instance = _one(session, request, quarantine_instance.quarantined)
        bring_back_instance.admit(session, request.services.settings, request.caller, instance)
    return ACCEPTED


def purge_instance(request: Request) -> Answer:
    """It goes at once, and nothing brings it back."""
    with request.services.database.write() as session:
        end_quarantines.purge(session, _one(session, request, quarantine_instance.quarantined))
    return ACCEPTED


def backups(request: Request) -> Answer:
    limit = paging.limit(request)
    mine = Backup.quarantined_until.is_not(None) & (Backup.project_id == request.caller.project_id)
    page = select(Backup).where(mine, Backup.id > paging.marker(request)).order_by(Backup.id).limit(limit + 1)
    with request.services.database.read() as session:
        found = session.scalars(page).all()
    shown, last = paging.cut(found, limit)
    return Answer(200, paging.page(request, "deleted_backups", [_backup(each) for each in shown], last))


def bring_backup_back(request: Request) -> Answer:
    """With all that it stands on. Raises OverQuota."""
    with request.services.database.write() as session:
        backup = _one(session, request, backup_quarantine.quarantined)
        backup_quarantine.bring_back(session, request.services.settings, backup)
    return ACCEPTED


def purge_backup(request: Request) -> Answer:
    """It goes at once, with all that builds on it. Raises Forbidden for one that is held, Busy."""
    with request.services.database.write() as session:
        backup = _one(session, request, backup_quarantine.quarantined)
        backup_quarantine.require_free(session, request.services.settings, backup)
        delete_backup.begin(session, backup)
    return ACCEPTED


def _one(session: Session, request: Request, find: Callable[[Session, str], Row | None]) -> Row:
    """Raises NotFound, also for another project's, and for what was not deleted or is gone."""
    try:
        found = find(session, str(uuid.UUID(request.path["id"])))
    except ValueError:
        found = None
    caller = request.caller
    if found is None or not (caller.is_admin or found.project_id == caller.project_id):
        raise errors.NotFound(f"Nothing that was deleted, and can be brought back, has the id {request.path['id']}.")
    request.permit(found.project_id)
    return found


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "name": instance.name,
        "volume": {"size": instance.gigabytes},
        "fault": instance.fault,
        **_times(instance.deleted_at, instance.quarantined_until),
    }


def _backup(backup: Backup) -> dict[str, Any]:
    return {
        "id": backup.id,
        "name": backup.name,
        "instance_id": backup.instance_id,
        "parent_id": backup.parent_id,
        "size": backup.size,
        **_times(backup.updated, backup.quarantined_until),
    }


def _times(deleted: float | None, until: float | None) -> dict[str, str | None]:
    """Until when it can be brought back, and since when it has to be."""
    return {
        "deleted": None if deleted is None else clock.timestamp(deleted),
        "until": None if until is None else clock.timestamp(until),
    }
