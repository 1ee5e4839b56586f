"""Reads instances with all that their views need: one query per table for a whole page, whatever its size."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import false, select
from sqlalchemy.orm import Session, load_only

from argosy import errors
from argosy.api.exchange import Request
from argosy.db.tables import Datastore, DatastoreVersion, Endpoint, Guest, Instance


@dataclass(frozen=True)
class Offer:
    version: DatastoreVersion
    datastore: Datastore


@dataclass(frozen=True)
class Seen:
    """An instance as it was read, with what its view tells besides."""

    instance: Instance
    guest: Guest | None
    endpoints: Sequence[Endpoint]
    offer: Offer | None


def page(session: Session, project: str, marker: str, limit: int) -> list[Instance]:
    """One more than `limit` where there are more. Walks the index from the marker on."""
    mine = (Instance.project_id == project, Instance.deleted == false(), Instance.id > marker)
    return list(session.scalars(select(Instance).where(*mine).order_by(Instance.id).limit(limit + 1)))


def one(session: Session, request: Request) -> Instance:
    """The instance that the path names. Raises NotFound, also for another project's, and Forbidden."""
    instance = _living(session, request.path["id"])
    caller = request.caller
    if instance is None or not (caller.is_admin or instance.project_id == caller.project_id):
        raise errors.NotFound(f"Resource {request.path['id']} cannot be found.")
    if request.rule:
        request.permit(instance.project_id)
    return instance


def complete(session: Session, instances: Sequence[Instance]) -> list[Seen]:
    ids = [each.id for each in instances]
    guests = {each.id: each for each in session.scalars(GUESTS.where(Guest.id.in_(ids)))}
    endpoints = defaultdict(list)
    for each in session.scalars(select(Endpoint).where(Endpoint.instance_id.in_(ids)).order_by(Endpoint.role.desc())):
        endpoints[each.instance_id].append(each)
    offers = _offers(session, {each.version_id for each in instances})
    return [
        Seen(each, guests.get(each.id), endpoints.get(each.id, []), offers.get(each.version_id)) for each in instances
    ]


GUESTS = select(Guest).options(
    load_only(Guest.id, Guest.health, Guest.message, Guest.seen_at, Guest.volume_used, Guest.volume_total)
)
"""Without its metrics and credentials, which no view tells."""


def _offers(session: Session, version_ids: set[str]) -> dict[str, Offer]:
    join = select(DatastoreVersion, Datastore).join(Datastore, Datastore.id == DatastoreVersion.datastore_id)
    rows = session.execute(join.where(DatastoreVersion.id.in_(version_ids)))
    return {version.id: Offer(version, datastore) for version, datastore in rows}


def _living(session: Session, name: str) -> Instance | None:
    """Names are no ids: clients ask for one before they look through the list, and want 404 for it at once."""
    try:
        instance_id = str(uuid.UUID(name))
    except ValueError:
        return None
    instance = session.get(Instance, instance_id)
    return None if instance is None or instance.deleted else instance
