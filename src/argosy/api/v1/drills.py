"""Trials of a backup: what was learnt of whether it restores. Ours, not Trove's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from argosy import clock
from argosy.api import paging
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import backups
from argosy.db.tables import Drill
from argosy.workflows import drill_backup


def index(request: Request) -> Answer:
    """Newest first, by offset, as backups are."""
    window = paging.window(request)
    with request.services.database.read() as session:
        backup = backups.one(session, request)
        mine = select(Drill).where(Drill.backup_id == backup.id).order_by(Drill.started.desc(), Drill.id)
        views = [_view(each) for each in session.scalars(mine.offset(window.offset).limit(window.limit))]
    return Answer(200, paging.page(request, "drills", views, window.following(len(views)), window.limit))


def create(request: Request) -> Answer:
    """Try it now. Raises Busy, Conflict."""
    with request.services.database.write() as session:
        drill = drill_backup.admit(session, backups.one(session, request))
        return Answer(202, {"drill": _view(drill)})


def _view(drill: Drill) -> dict[str, Any]:
    ended = drill.ended
    return {
        "id": drill.id,
        "backup_id": drill.backup_id,
        "state": drill.state,
        "started": clock.timestamp(drill.started),
        "ended": None if ended is None else clock.timestamp(ended),
        "seconds": None if ended is None else round(ended - drill.started, 3),
        "fault": drill.fault,
        "report": drill.report,
    }
