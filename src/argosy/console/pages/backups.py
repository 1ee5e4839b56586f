"""Backups: a page of them, and one with every drill it went through."""

from __future__ import annotations

from itertools import islice
from uuid import UUID

import falcon

from argosy.client.backups import Backups as Resource
from argosy.console import drawing
from argosy.console.visitors import Door

DRILLS = 20
"""Newest ones that are shown."""


class Backups:
    def __init__(self, door: Door) -> None:
        self._door = door

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        with self._door.visit(req) as session:
            page = Resource(session).page(marker=req.get_param("marker", default=""))
            drawing.draw(resp, "backups.html", visitor=session, page=page)


class OneBackup:
    def __init__(self, door: Door) -> None:
        self._door = door

    def on_get(self, req: falcon.Request, resp: falcon.Response, backup_id: UUID) -> None:
        named = str(backup_id)
        with self._door.visit(req) as session:
            backups = Resource(session)
            drawing.draw(
                resp,
                "backup.html",
                visitor=session,
                backup=backups.get(named),
                drills=list(islice(backups.drills(named), DRILLS)),
                operations=backups.operations(named),
            )
