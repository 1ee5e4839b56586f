"""A backup as clients read it: Trove's keys, and ours beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.api.v1 import progress_view
from argosy.db.tables import Backup, Datastore, DatastoreVersion, Run
from argosy.model.backups import RUNNING
from argosy.workflows import backup_copies

Offers = Mapping[str, tuple[str, str]]
"""Datastore and name of versions, by id."""


def of(session: Session, backups: Sequence[Backup]) -> list[dict[str, Any]]:
    """One query per table for a whole page, and one more while any of them is being made."""
    offers, progress = _offers(session, backups), _progress(session, backups)
    return [{**_trove(each, offers), **_ours(each), **progress.get(each.id, {})} for each in backups]


def _trove(backup: Backup, offers: Offers) -> dict[str, Any]:
    datastore, version = offers.get(backup.version_id, (None, None))
    return {
        "id": backup.id,
        "name": backup.name,
        "description": backup.description,
        "instance_id": backup.instance_id,
        "locationRef": backup.location,
        "created": clock.timestamp(backup.created),
        "updated": clock.timestamp(backup.updated),
        "size": backup.size,
        "status": backup.state,
        "parent_id": backup.parent_id,
        "project_id": backup.project_id,
        "datastore": {"type": datastore, "version": version, "version_id": backup.version_id},
        "storage_driver": backup.storage_driver,
    }


def _ours(backup: Backup) -> dict[str, Any]:
    view = {
        "strategy": backup.strategy,
        "purpose": backup.purpose,
        "schedule_id": backup.schedule_id,
        "volume_size": backup.gigabytes,
        "bytes": {"raw": backup.raw_bytes, "stored": backup.stored_bytes},
        "moment": _time(backup.moment),
        "finished": _time(backup.finished),
        "deletion_protection": backup.protected,
        "region": backup.region or None,
        "outlives_disk": not backup_copies.stays(backup),
        "held_until": _time(backup.hold_until),
        "proof": {"state": backup.proof, "checked": _time(backup.proven_at), "seconds": backup.proven_seconds},
    }
    return {**view, "fault": {"message": backup.fault}} if backup.fault else view


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else clock.timestamp(seconds)


def _offers(session: Session, backups: Sequence[Backup]) -> Offers:
    wanted = {each.version_id for each in backups}
    rows = select(DatastoreVersion.id, Datastore.name, DatastoreVersion.name).join(
        Datastore, Datastore.id == DatastoreVersion.datastore_id
    )
    found = session.execute(rows.where(DatastoreVersion.id.in_(wanted)))
    return {version_id: (datastore, version) for version_id, datastore, version in found}


def _progress(session: Session, backups: Sequence[Backup]) -> Mapping[str, dict[str, Any]]:
    running = [each.id for each in backups if each.state in RUNNING]
    if not running:
        return {}
    runs = select(Run.id, Run.subject).where(Run.subject.in_(running), Run.state == "active")
    subjects: dict[str, str] = dict(session.execute(runs).all())
    told = progress_view.of_runs(session, subjects)
    return {subjects[run]: {"progress": view} for run, view in told.items()}
