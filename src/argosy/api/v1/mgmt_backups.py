"""What operators decide about backups of any project."""

from __future__ import annotations

from argosy import clock, errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import backups
from argosy.db import events


def act(request: Request) -> Answer:
    """`hold` (`until`): nobody deletes it before that time, neither its owner nor a schedule; `release`: they may."""
    request.administer()
    fields = Fields(request.body or {})
    fields.only(("hold", "release"))
    if len(fields.values) != 1:
        raise errors.BadRequest("Ask for one of hold and release.")
    until = _until(fields.object("hold", required=True)) if "hold" in fields.values else None
    with request.services.database.write() as session:
        backup = backups.one(session, request)
        backup.hold_until = until
        told = {"backup_id": backup.id, "name": backup.name, "until": until and clock.timestamp(until)}
        kind = "dbaas.backup_hold" if until else "dbaas.backup_release"
        events.tell(session, kind, subject=backup.instance_id, project_id=backup.project_id, **told)
    return ACCEPTED


def _until(fields: Fields) -> float:
    fields.only(("until",))
    try:
        until = clock.moment(fields.needed_text("until"))
    except ValueError as error:
        raise fields.wrong("until", "must be a time, as 2030-01-31T00:00:00Z") from error
    if until <= clock.now():
        raise fields.wrong("until", "must be a time that is to come; release lets a backup be deleted")
    return until
