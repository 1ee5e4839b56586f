"""The logs that an owner has switched, as a layer over all other settings of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.tables import GuestLog, Instance
from argosy.workflows import offers


def turned(session: Session, instance: Instance, settings: Mapping[str, Any]) -> dict[str, Any]:
    """These settings with every log that was ever switched on or off."""
    switched = (GuestLog.instance_id == instance.id) & GuestLog.enabled.is_not(None)
    rows = {row.name: bool(row.enabled) for row in session.scalars(select(GuestLog).where(switched))}
    told = dict(settings)
    for log in offers.get(session, instance.version_id).engine.logs if rows else ():
        if log.switch and log.name in rows:
            told = log.switch.turned(told, on=rows[log.name])
    return told
