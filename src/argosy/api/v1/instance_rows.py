"""Reads instances with all that their views need: one query per table for a whole page, whatever its size."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Integer, bindparam, false, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Request
from argosy.db.tables import (
    Backup,
    Configuration,
    Datastore,
    DatastoreVersion,
    Endpoint,
    Guest,
    Instance,
    InstanceTag,
)
from argosy.model.backups import RUNNING


@dataclass(frozen=True)
class Claim:
    """What the agent of an instance last said."""

    guest_id: str
    health: str
    health_at: float | None
    message: str
    seen_at: float | None
    volume_used: int
    volume_total: int


@dataclass(frozen=True)
class Offer:
    version: DatastoreVersion
    datastore: Datastore


@dataclass(frozen=True)
class Seen:
    """An instance as it was read, with what its view tells besides."""

    instance: Instance
    claim: Claim | None
    endpoints: Sequence[Endpoint]
    offer: Offer | None
    configuration: Configuration | None
    backing_up: bool = False


# Statements are built once: building them anew cost as much as running them.
PAGE = (
    select(Instance)
    .where(
        Instance.project_id == bindparam("project"),
        Instance.deleted == false(),
        Instance.id > bindparam("marker"),
    )
    .order_by(Instance.id)
    .limit(bindparam("most", type_=Integer()))
)
TAGGED = (
    select(Instance)
    .join(InstanceTag, InstanceTag.instance_id == Instance.id)
    .where(
        InstanceTag.project_id == bindparam("project"),
        InstanceTag.name == bindparam("name"),
        InstanceTag.value == bindparam("value"),
        InstanceTag.instance_id > bindparam("marker"),
        Instance.deleted == false(),
    )
    .order_by(InstanceTag.instance_id)
    .limit(bindparam("most", type_=Integer()))
)
IDS: BindParameter[Any] = bindparam("ids", expanding=True)
CLAIMS = select(
    Guest.id, Guest.health, Guest.health_at, Guest.message, Guest.seen_at, Guest.volume_used, Guest.volume_total
).where(Guest.id.in_(IDS))
BACKING_UP = select(Backup.instance_id).where(Backup.instance_id.in_(IDS), Backup.state.in_(sorted(RUNNING)))
CONFIGURATIONS = select(Configuration).where(Configuration.id.in_(IDS))
ENDPOINTS = select(Endpoint).where(Endpoint.instance_id.in_(IDS)).order_by(Endpoint.role.desc())
OFFERS = (
    select(DatastoreVersion, Datastore)
    .join(Datastore, Datastore.id == DatastoreVersion.datastore_id)
    .where(DatastoreVersion.id.in_(IDS))
)


@dataclass(frozen=True)
class Page:
    project: str
    marker: str
    limit: int
    tag: tuple[str, str] | None = None


def page(session: Session, wanted: Page) -> list[Instance]:
    """One more than the limit where there are more. Walks the index from the marker on."""
    bounds = {"project": wanted.project, "marker": wanted.marker, "most": wanted.limit + 1}
    if wanted.tag is None:
        return list(session.scalars(PAGE, bounds))
    name, value = wanted.tag
    return list(session.scalars(TAGGED, {**bounds, "name": name, "value": value}))


def one(session: Session, request: Request) -> Instance:
    """The instance that the path names. Raises NotFound, also for another project's, and Forbidden.

    In a writing session its row is locked: of two who change it at once, the second sees what the first did.
    """
    instance = named(session, request, request.path["id"])
    if request.rule:
        request.permit(instance.project_id)
    return instance


def named(session: Session, request: Request, instance_id: str) -> Instance:
    """Raises NotFound, also for another project's."""
    instance = _living(session, instance_id)
    caller = request.caller
    if instance is None or not (caller.is_admin or instance.project_id == caller.project_id):
        raise errors.NotFound(f"Resource {instance_id} cannot be found.")
    return instance


def complete(session: Session, instances: Sequence[Instance]) -> list[Seen]:
    ids = {"ids": [each.id for each in instances]}
    claims = {claim.guest_id: claim for claim in (Claim(*row) for row in session.execute(CLAIMS, ids))}
    endpoints = defaultdict(list)
    for each in session.scalars(ENDPOINTS, ids):
        endpoints[each.instance_id].append(each)
    versions = session.execute(OFFERS, {"ids": list({each.version_id for each in instances})})
    offers = {version.id: Offer(version, datastore) for version, datastore in versions}
    groups = _configurations(session, instances)
    backing_up = set(session.scalars(BACKING_UP, ids))
    return [
        Seen(
            each,
            claims.get(each.id),
            endpoints.get(each.id, []),
            offers.get(each.version_id),
            groups.get(each.configuration_id or ""),
            each.id in backing_up,
        )
        for each in instances
    ]


def _configurations(session: Session, instances: Sequence[Instance]) -> Mapping[str, Configuration]:
    """Of those that have one: most have none, and nobody is asked then."""
    ids = {each.configuration_id for each in instances if each.configuration_id}
    return {each.id: each for each in session.scalars(CONFIGURATIONS, {"ids": list(ids)})} if ids else {}


def _living(session: Session, name: str) -> Instance | None:
    """Names are no ids: clients ask for one before they look through the list, and want 404 for it at once."""
    try:
        instance_id = str(uuid.UUID(name))
    except ValueError:
        return None
    writes = bool(session.connection().get_execution_options().get("writes"))
    instance = session.get(Instance, instance_id, with_for_update=writes or None)
    return None if instance is None or instance.deleted else instance
