"""The vetted menu of a version: the only flavors that it may be asked for with. An operator sets it, as a whole."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import catalogue, flavors
from argosy.db import events
from argosy.db.tables import VersionFlavor
from argosy.settings import Settings
from argosy.workflows import offers


def show(request: Request) -> Answer:
    """Empty: every flavor is offered."""
    with request.services.database.read() as session:
        version = catalogue.version_by_id(session, request.path["id"])
        return Answer(200, {"flavors": sorted(offers.menu(session, version.id))})


def update(request: Request) -> Answer:
    """Instances that are there already keep what they have."""
    chosen = _chosen(request.services.settings, Fields(request.body or {}))
    with request.services.database.write() as session:
        version = catalogue.version_by_id(session, request.path["id"])
        _write(session, version.id, chosen)
        events.tell(session, "dbaas.datastore_version_flavors", subject=version.id, flavors=chosen)
    return Answer(200, {"flavors": chosen})


def _chosen(settings: Settings, fields: Fields) -> list[str]:
    """Raises BadRequest for a flavor that is not there."""
    if "flavors" not in fields:
        raise fields.wrong("flavors", "is a required property")
    named = [flavors.chosen(settings, Fields({"flavorRef": each})) for each in fields.list("flavors")]
    return sorted({each.id for each in named})


def _write(session: Session, version_id: str, chosen: list[str]) -> None:
    session.execute(delete(VersionFlavor).where(VersionFlavor.version_id == version_id))
    session.add_all(VersionFlavor(version_id=version_id, flavor_id=each) for each in chosen)
