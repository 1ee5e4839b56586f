"""Instances: a page of them, and one with its backups, the moments it can go back to, and what was done to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from argosy.client.backups import Backups
from argosy.client.resources import Instances
from argosy.client.session import Session


def index(session: Session, marker: str) -> dict[str, Any]:
    return {"page": Instances(session).page(marker)}


def show(session: Session, marker: str, instance_id: UUID) -> dict[str, Any]:
    instances, named = Instances(session), str(instance_id)
    return {
        "instance": instances.get(named),
        "recovery": instances.recovery(named),
        "backups": Backups(session).page(named, marker),
        "operations": instances.operations(named)["operations"],
    }
