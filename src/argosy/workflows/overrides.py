"""What an instance's server is to be told besides what Argosy itself says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.tables import Configuration, Instance, Parameter


def effective(session: Session, instance: Instance) -> dict[str, Any]:
    """The operator's baseline, over it the instance's configuration, over that what the operator has locked."""
    return merged(session, instance.version_id, values(session, instance.configuration_id))


def merged(session: Session, version_id: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    rows = session.scalars(select(Parameter).where(Parameter.version_id == version_id)).all()
    said = [row for row in rows if row.baseline is not None and not row.removed]
    baseline = {row.name: row.baseline for row in said}
    return {**baseline, **chosen, **{row.name: row.baseline for row in said if row.locked}}


def values(session: Session, configuration_id: str | None) -> Mapping[str, Any]:
    """Of a configuration; nothing where there is none."""
    configuration = session.get(Configuration, configuration_id) if configuration_id else None
    return configuration.settings if configuration else {}
