"""Reads configuration groups with all that their views need."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Request
from argosy.api.fields import Fields
from argosy.db.tables import Configuration, Datastore, DatastoreVersion, Instance


@dataclass(frozen=True)
class Seen:
    """A group as it was read; its version may be gone."""

    configuration: Configuration
    version: DatastoreVersion | None
    datastore: Datastore | None


def page(session: Session, owner: str | None, marker: str, limit: int) -> Sequence[Configuration]:
    """One more than `limit` where there are more; of every project without an owner."""
    rows = select(Configuration).where(Configuration.id > marker)
    if owner is not None:
        rows = rows.where(Configuration.project_id == owner)
    return session.scalars(rows.order_by(Configuration.id).limit(limit + 1)).all()


def complete(session: Session, configurations: Sequence[Configuration]) -> list[Seen]:
    ids = {each.version_id for each in configurations}
    rows = session.execute(
        select(DatastoreVersion, Datastore)
        .join(Datastore, Datastore.id == DatastoreVersion.datastore_id)
        .where(DatastoreVersion.id.in_(ids))
    )
    versions = {version.id: (version, datastore) for version, datastore in rows}
    return [Seen(each, *versions.get(each.version_id, (None, None))) for each in configurations]


def one(session: Session, request: Request) -> Configuration:
    """The group that the path names. Raises NotFound, also for another project's, and Forbidden."""
    found = find(session, request, request.path["id"])
    request.permit(found.project_id)
    return found


def find(session: Session, request: Request, name: str) -> Configuration:
    """By id; in a writing session its row is locked. Raises NotFound, also for another project's."""
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


def instances(session: Session, configuration: Configuration, marker: str, limit: int) -> Sequence[Instance]:
    """Those that have it; one more than `limit` where there are more."""
    rows = select(Instance).where(_attached(configuration), Instance.id > marker)
    return session.scalars(rows.order_by(Instance.id).limit(limit + 1)).all()


def count(session: Session, configuration: Configuration) -> int:
    return session.scalar(select(func.count()).select_from(Instance).where(_attached(configuration))) or 0


def _attached(configuration: Configuration) -> ColumnElement[bool]:
    return (Instance.configuration_id == configuration.id) & Instance.deleted.is_(False)


def _by_id(session: Session, name: str) -> Configuration | None:
    try:
        configuration_id = str(uuid.UUID(name))
    except ValueError:
        return None
    writes = bool(session.connection().get_execution_options().get("writes"))
    return session.get(Configuration, configuration_id, with_for_update=writes or None)
