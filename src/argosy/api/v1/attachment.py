"""Instances follow configurations: attach, detach, and what an instance has without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import configuration_rows, instance_rows
from argosy.db.tables import Instance, Run
from argosy.engines import parameters
from argosy.model.guest import Site
from argosy.settings import Settings
from argosy.workflows import configure_instance, offers

PATIENCE = 5.0
"""Seconds that a client may wait for what it has changed: Trove applies it before it answers."""


NOWHERE = Path("/")


def defaults(request: Request) -> Answer:
    """What the instance has without a configuration, by its flavor and volume."""
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        offer = offers.get(session, instance.version_id)
    site = _site(request.services.settings, instance)
    return Answer(
        200,
        {"instance": {"configuration": parameters.defaults(offer.engine.name, offer.version.number, site)}},
    )


def _site(settings: Settings, instance: Instance) -> Site:
    """As far as it decides on settings."""
    vcpus = settings.flavor(instance.flavor_id).vcpus
    memory, volume = instance.ram << 20, instance.gigabytes << 30
    return Site(NOWHERE, NOWHERE, NOWHERE, address="", port=0, memory=memory, vcpus=vcpus, volume=volume)


def change(session: Session, request: Request, instance: Instance, fields: Fields) -> list[Run]:
    """What the body of PUT or PATCH says: a configuration by its id; null, or nothing at all, for none.

    Raises NotFound, BadRequest, Unprocessable.
    """
    if "configuration" not in fields:
        run = configure_instance.detach(session, instance)
        return [run] if run else []
    found = configuration_rows.find(session, request, fields.needed_text("configuration", most=1024))
    return [configure_instance.attach(session, instance, found)]


def wait_for(request: Request, runs: Sequence[Run]) -> None:
    """Answer when the servers have it, as far as there is time and a seat to wait in: the operation goes on anyway."""
    names, bell = [run.id for run in runs], request.services.bell
    if not names:
        return
    with bell.seat() as seated:
        if seated:
            bell.until(lambda: _active(request, names), lambda active: active == 0, PATIENCE)


def _active(request: Request, names: Sequence[str]) -> int:
    active = select(func.count()).select_from(Run).where(Run.id.in_(names), Run.state == "active")
    with request.services.database.read() as session:
        return session.scalar(active) or 0
