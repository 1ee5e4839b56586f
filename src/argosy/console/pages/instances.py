"""Instances: a page of them, and one with its backups, the moments it can go back to, and what was done to it."""

from __future__ import annotations

from uuid import UUID

import falcon

from argosy.client.backups import Backups
from argosy.client.resources import Instances as Resource
from argosy.console import drawing
from argosy.console.visitors import Door


class Instances:
    def __init__(self, door: Door) -> None:
        self._door = door

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        with self._door.visit(req) as session:
            page = Resource(session).page(req.get_param("marker", default=""))
            drawing.draw(resp, "instances.html", visitor=session, page=page)


class OneInstance:
    def __init__(self, door: Door) -> None:
        self._door = door

    def on_get(self, req: falcon.Request, resp: falcon.Response, instance_id: UUID) -> None:
        named = str(instance_id)
        with self._door.visit(req) as session:
            instances = Resource(session)
            drawing.draw(
                resp,
                "instance.html",
                visitor=session,
                instance=instances.get(named),
                recovery=instances.recovery(named),
                backups=Backups(session).page(named, req.get_param("marker", default="")),
                operations=instances.operations(named)["operations"],
            )
