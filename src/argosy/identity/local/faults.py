"""Errors as Keystone tells them: {"error": {"code", "message", "title"}}."""

from __future__ import annotations

import http
import logging
from typing import Any

import falcon
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from argosy import errors

log = logging.getLogger(__name__)


def install(app: falcon.App[Any, Any]) -> None:
    app.add_error_handler(Exception, _unforeseen)
    app.add_error_handler(falcon.HTTPError, _of_falcon)
    app.add_error_handler(IntegrityError, _taken)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.add_error_handler(away, _away)
    app.add_error_handler(errors.ArgosyError, _of_argosy)


def _of_argosy(req: falcon.Request, resp: falcon.Response, error: errors.ArgosyError, _params: object) -> None:
    if isinstance(error, errors.RateLimited):
        resp.set_header("Retry-After", str(error.retry_after))
    if isinstance(error, errors.Unauthorized):
        resp.set_header("WWW-Authenticate", f'Keystone uri="{req.prefix}"')
    if isinstance(error, errors.Broken):
        log.error("broken", exc_info=error)
    _tell(resp, error.status, error.message)


def _of_falcon(_req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: object) -> None:
    _tell(resp, error.status_code, error.description or error.title or "")


def _taken(_req: falcon.Request, resp: falcon.Response, _error: IntegrityError, _params: object) -> None:
    """Two requests wanted the same name at once: the database let the first have it."""
    _tell(resp, 409, "Conflict occurred: there is one with this name already")


def _away(_req: falcon.Request, resp: falcon.Response, error: Exception, _params: object) -> None:
    log.warning("unavailable", exc_info=error)
    _tell(resp, 503, "the control database is not available just now: try again")


def _unforeseen(req: falcon.Request, resp: falcon.Response, error: Exception, _params: object) -> None:
    log.error("identity request failed: %s %s", req.method, req.path, exc_info=error)
    _tell(resp, 500, "An unexpected error prevented the server from fulfilling your request.")


def _tell(resp: falcon.Response, code: int, message: str) -> None:
    resp.status = falcon.code_to_http_status(code)
    resp.media = {"error": {"code": code, "message": message, "title": http.HTTPStatus(code).phrase}}
