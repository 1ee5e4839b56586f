"""What an instance's server is to be told besides what Argosy itself says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.tables import Configuration, Instance, Parameter
from argosy.durable.workflow import Context
from argosy.model.status import Task
from argosy.workflows import log_switches, offers, parameters
from argosy.workflows.world import World


def effective(session: Session, instance: Instance, version_id: str = "") -> dict[str, Any]:
    """The operator's baseline, over it the instance's configuration, over that the logs that were switched, over all
    what the operator has locked. `version_id`: as a server of that version would have it.
    """
    version_id = version_id or instance.version_id
    told = merged(session, version_id, values(session, instance.configuration_id))
    told = merged(session, version_id, log_switches.turned(session, instance, told))
    return told if instance.ends_at is None else {**told, **offers.get(session, version_id).engine.read_only}


def current(ctx: Context[World], *, version_id: str = "") -> dict[str, Any]:
    """Those of the run's instance, as they are now."""
    with ctx.database.read() as session:
        return effective(session, session.get_one(Instance, ctx.subject), version_id)


def merged(session: Session, version_id: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    rows = session.scalars(select(Parameter).where(Parameter.version_id == version_id)).all()
    said = [row for row in rows if row.baseline is not None and not row.removed]
    baseline = {row.name: row.baseline for row in said}
    return {**baseline, **chosen, **{row.name: row.baseline for row in said if row.locked}}


def values(session: Session, configuration_id: str | None) -> Mapping[str, Any]:
    """Of a configuration; nothing where there is none."""
    configuration = session.get(Configuration, configuration_id) if configuration_id else None
    return configuration.settings if configuration else {}


def require_room(session: Session, instance: Instance) -> None:
    """Raises NotFound for a configuration that has gone meanwhile, Unprocessable for values that the instance's flavor
    cannot grant.
    """
    chosen = instance.configuration_id
    if chosen and session.get(Configuration, chosen, with_for_update=True) is None:
        raise errors.NotFound(f"Configuration {chosen} cannot be found.")
    settings = effective(session, instance)
    if settings:
        parameters.require_room(parameters.menu(session, instance.version_id), settings, instance.ram)


def note(session: Session, instance_id: str, fault: str | None) -> None:
    """What a guest says of settings that it has taken back, where the owner looks; without that all is well. The same
    is told once.
    """
    known = session.scalar(select(Instance.fault).where(Instance.id == instance_id))
    values = {"fault": fault, "fault_details": None, "fault_at": clock.now() if fault else None}
    mine = (Instance.id == instance_id) & (Instance.task != Task.DELETING)
    session.execute(update(Instance).where(mine).values(**values))
    if fault and fault != known:
        events.tell(session, "dbaas.configuration_taken_back", subject=instance_id, message=fault)
