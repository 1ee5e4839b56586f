"""Log in and out."""

from __future__ import annotations

import falcon

from argosy import errors
from argosy.client import credentials
from argosy.console import drawing
from argosy.console.visitors import Door

WRONG = "this does not open anything: check user, password and project"
FIELDS = ("username", "password", "project", "domain")


class Login:
    def __init__(self, door: Door) -> None:
        self._door = door

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        drawing.draw(resp, "login.html", told={"domain": credentials.Login.domain}, wrong="")

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        told = _told(req)
        try:
            self._door.enter(req, resp, told)
        except errors.Unauthorized:
            drawing.draw(resp, "login.html", 401, told=told, wrong=WRONG)
        except errors.RateLimited as error:
            drawing.draw(resp, "login.html", 429, told=told, wrong=error.message)
        else:
            resp.status, resp.location = falcon.HTTP_303, "/instances"


class Logout:
    def __init__(self, door: Door) -> None:
        self._door = door

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._door.leave(req, resp)
        resp.status, resp.location = falcon.HTTP_303, "/login"


def _told(req: falcon.Request) -> dict[str, str]:
    """Raises BadRequest."""
    form = req.get_media(default_when_empty={})
    if not isinstance(form, dict) or not all(isinstance(form.get(name), str) for name in FIELDS):
        raise errors.BadRequest(f"a login has {', '.join(FIELDS)}")
    return {name: form[name] for name in FIELDS}
