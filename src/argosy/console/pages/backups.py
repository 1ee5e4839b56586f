"""Backups: a page of them, and one with its newest drills."""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import UUID

from argosy.client.backups import Backups
from argosy.client.session import Session

DRILLS = 20


def index(session: Session, marker: str) -> dict[str, Any]:
    return {"page": Backups(session).page(marker=marker)}


def show(session: Session, _marker: str, backup_id: UUID) -> dict[str, Any]:
    backups, named = Backups(session), str(backup_id)
    return {
        "backup": backups.get(named),
        "drills": list(islice(backups.drills(named), DRILLS)),
        "operations": backups.operations(named),
    }
