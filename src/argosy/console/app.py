"""The console as a WSGI application. The routes read as an index."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any
from uuid import UUID

import falcon

from argosy import errors
from argosy.console import drawing
from argosy.console.pages import backups, instances, logins
from argosy.console.visitors import Door
from argosy.settings import Settings

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, browsers hide the origin of a form's request
    "Cache-Control": "no-store",
}


def make(settings: Settings) -> falcon.App[Any, Any]:
    """It keeps nothing in memory: a visitor's token is in a cookie of theirs."""
    app: falcon.App[Any, Any] = falcon.App(middleware=[Guard()])
    app.req_options.strip_url_path_trailing_slash = True
    app.add_error_handler(Exception, _unforeseen)
    app.add_error_handler(falcon.HTTPError, _of_falcon)
    app.add_error_handler(errors.ArgosyError, _of_argosy)
    app.add_error_handler(errors.Unauthorized, _logged_out)
    door = Door(settings)
    app.add_route("/", Root())
    app.add_route("/login", logins.Login(door))
    app.add_route("/logout", logins.Logout(door))
    app.add_route("/instances", Page(door, "instances.html", instances.index))
    app.add_route("/instances/{instance_id:uuid}", Page(door, "instance.html", instances.show))
    app.add_route("/backups", Page(door, "backups.html", backups.index))
    app.add_route("/backups/{backup_id:uuid}", Page(door, "backup.html", backups.show))
    app.add_route("/style.css", Style())
    app.add_route("/healthcheck", Healthcheck())
    return app


@dataclass(frozen=True)
class Page:
    """What `look` finds for a visitor, after the marker that a list's page before gave, drawn by a template."""

    door: Door
    template: str
    look: Callable[..., dict[str, Any]]

    def on_get(self, req: falcon.Request, resp: falcon.Response, **path: UUID) -> None:
        with self.door.visit(req) as session:
            found = self.look(session, req.get_param("marker", default=""), **path)
            drawing.draw(resp, self.template, visitor=session, **found)


class Root:
    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        raise falcon.HTTPSeeOther("/instances")


class Style:
    text = resources.files("argosy.console").joinpath("style.css").read_text()

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type, resp.text = "text/css", self.text


class Healthcheck:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type, resp.text = falcon.MEDIA_TEXT, "OK"


class Guard:
    """What changes something must come from a page of ours: a browser sends cookies with everybody's forms."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        if req.method not in ("GET", "HEAD") and not ours(req):
            raise errors.Forbidden("this form came from another site: open the console and try again")

    def process_response(self, _req: falcon.Request, resp: falcon.Response, _resource: object, _ok: bool) -> None:
        resp.set_headers(HEADERS)


def ours(req: falcon.Request) -> bool:
    """By what every browser of today says of where a form stood (Fetch Metadata; over plain HTTP only the origin)."""
    site, origin = req.get_header("Sec-Fetch-Site"), req.get_header("Origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin == req.prefix


def _logged_out(_req: falcon.Request, resp: falcon.Response, _error: errors.Unauthorized, _params: object) -> None:
    """There was no token, or it is not good any more."""
    resp.status, resp.location = falcon.HTTP_303, "/login"


def _of_argosy(_req: falcon.Request, resp: falcon.Response, error: errors.ArgosyError, _params: object) -> None:
    if isinstance(error, errors.Broken):
        log.error("broken", exc_info=error)
    drawing.draw(resp, "error.html", error.status, message=error.message)


def _of_falcon(_req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: object) -> None:
    if isinstance(error, falcon.HTTPNotFound):
        drawing.draw(resp, "error.html", 404, message="there is no such page")
    else:
        drawing.draw(resp, "error.html", error.status_code, message=error.description or error.title)


def _unforeseen(req: falcon.Request, resp: falcon.Response, error: Exception, _params: object) -> None:
    log.error("page failed: %s %s", req.method, req.path, exc_info=error)
    drawing.draw(resp, "error.html", 500, message="this page could not be drawn: the console's log tells why")
