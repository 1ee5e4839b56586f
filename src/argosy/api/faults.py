"""Errors as the client reads them: `{"<name>": {"code": …, "message": …}}`, by isinstance."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import falcon
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from argosy import errors
from argosy.api.exchange import Answer

log = logging.getLogger(__name__)

UNFOUND = "The resource could not be found."


def answer(error: Exception) -> Answer:
    """What is said about this error. The text of what we did not foresee stays inside, under an id in the log."""
    known = _translated(error)
    if isinstance(known, errors.RateLimited):
        return _rate_limited(known)
    if isinstance(known, errors.Broken):
        return _internal(error)
    if isinstance(known, errors.Unavailable):
        log.warning("unavailable", exc_info=error)
    return Answer(known.status, body(known.status, known.key, known.message))


def body(code: int, key: str, message: str, **more: Any) -> dict[str, Any]:
    return {key: {"code": code, "message": message, **more}}


def _translated(error: Exception) -> errors.ArgosyError:
    if isinstance(error, errors.ArgosyError):
        return error
    if isinstance(error, falcon.HTTPNotFound | falcon.HTTPMethodNotAllowed):
        return errors.NotFound(UNFOUND)
    if isinstance(error, falcon.HTTPError) and error.status_code < 500:
        return errors.BadRequest(error.description or error.title)
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        return errors.Unavailable("the control database is not available just now: try again")
    return errors.Broken()


def _internal(error: Exception) -> Answer:
    known_as = uuid.uuid4()
    log.error("internal error %s", known_as, exc_info=error)
    return Answer(500, body(500, "instanceFault", f"an internal error: an operator must look ({known_as})"))


def _rate_limited(error: errors.RateLimited) -> Answer:
    wait = error.retry_after
    said = body(413, error.key, error.message, details=f"try again in {wait} s", retryAfter=str(wait))
    return Answer(413, said, headers={"Retry-After": str(wait)})
