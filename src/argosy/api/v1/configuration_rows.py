"""Finds configuration groups by what requests say."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Request
from argosy.api.fields import Fields
from argosy.db.tables import Configuration


def find(session: Session, request: Request, name: str) -> Configuration:
    """By id. Raises NotFound, also for another project's."""
    found = _by_id(session, name)
    if found is None or not (request.caller.is_admin or found.project_id == request.caller.project_id):
        raise errors.NotFound(f"Configuration {name} cannot be found.")
    return found


def chosen(session: Session, request: Request, fields: Fields, version_id: str) -> str | None:
    """The id of the configuration that a body names by id or link, for instances of this version.

    Raises NotFound, and BadRequest for one of another version.
    """
    if not fields.get("configuration"):
        return None
    named = fields.needed_text("configuration", most=1024)
    found = find(session, request, named.rstrip("/").rpartition("/")[2])
    if found.version_id != version_id:
        raise errors.BadRequest(f"Configuration {found.id} is for another datastore version than the instance's.")
    return found.id


def _by_id(session: Session, name: str) -> Configuration | None:
    try:
        return session.get(Configuration, str(uuid.UUID(name)))
    except ValueError:
        return None
