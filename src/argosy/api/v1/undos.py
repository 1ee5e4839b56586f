"""Restoring an instance in place, and going back to what its data were before. Ours, not Trove's."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import instance_rows, recovery
from argosy.db import events
from argosy.db.tables import DatastoreVersion, Instance, Undo
from argosy.workflows import restore_in_place, undo_change, undos
from argosy.workflows.restoring import Restore


def index(request: Request) -> Answer:
    """The latest first: what `undo` goes back to when it names none."""
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        found = [_view(session, each) for each in undos.of(session, instance.id)]
    return Answer(200, {"undos": found})


def delete(request: Request) -> Answer:
    """Let go of it before its time: it takes room."""
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        undo = undos.find(session, instance, request.path["name"])
        undo.until = 0.0
        kind = "dbaas.instance_undo_forget"
        events.tell(session, kind, subject=instance.id, project_id=instance.project_id, undo_id=undo.id)
    return ACCEPTED


def restore(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    """An action on an instance."""
    request.permit(instance.project_id, "instance:restore")
    fields.only(("backup", "confirm", *recovery.TARGETS))
    wanted = _wanted(session, request, instance, fields)
    restore_in_place.admit(session, request.caller, instance, wanted, confirmed=bool(fields.flag("confirm")))


def undo(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    """An action on an instance."""
    request.permit(instance.project_id, "instance:undo")
    fields.only(("id", "confirm"))
    confirmed = bool(fields.flag("confirm"))
    undo_change.admit(session, request.caller, instance, fields.text("id"), confirmed=confirmed)


def _wanted(session: Session, request: Request, instance: Instance, fields: Fields) -> Restore:
    """A backup, or a moment of the instance itself. Raises BadRequest, NotFound, Conflict."""
    targets = {name: fields.get(name) for name in recovery.TARGETS if name in fields}
    if targets or "backup" not in fields:
        named = {"instance": instance.id, "backupRef": fields.get("backup"), **targets}
        return recovery.resolved(session, request, Fields(named, "restore"))
    try:
        return Restore(str(uuid.UUID(fields.needed_text("backup"))))
    except ValueError as error:
        raise fields.wrong("backup", "must be the id of a backup") from error


def _view(session: Session, undo: Undo) -> dict[str, Any]:
    return {
        "id": undo.id,
        "reason": undo.reason,
        "datastore_version": session.get_one(DatastoreVersion, undo.version_id).name,
        "created": clock.timestamp(undo.created),
        "until": clock.timestamp(undo.until),
    }
