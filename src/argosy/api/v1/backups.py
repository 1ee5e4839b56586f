"""Backups: list and show."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging, query
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import instance_rows
from argosy.db.tables import Backup, Datastore, DatastoreVersion, Instance

Rows = Select[Backup]
Offers = dict[str, tuple[str, str]]
"""Datastore and name of versions, by id."""


def index(request: Request) -> Answer:
    """Filters: `instance_id`, `datastore`; for administrators `all_projects` and `project_id` too."""
    asked = request.query
    if {"all_projects", "project_id"} & set(asked):
        request.permit(asked.get("project_id", ""), "backup:index:all_projects")
    rows = _of_projects(request)
    if asked.get("instance_id"):
        rows = rows.where(Backup.instance_id == asked["instance_id"])
    if asked.get("datastore"):
        versions = select(DatastoreVersion.id).join(Datastore, Datastore.id == DatastoreVersion.datastore_id)
        rows = rows.where(Backup.version_id.in_(versions.where(Datastore.name == asked["datastore"])))
    with request.services.database.read() as session:
        return _page(session, request, rows)


def of_instance(request: Request) -> Answer:
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        return _page(session, request, _of(instance))


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        backup = _one(session, request)
        return Answer(200, {"backup": _view(backup, _offers(session, [backup]))})


def _of_projects(request: Request) -> Rows:
    project = request.query.get("project_id")
    if not project and query.flag(request, "all_projects"):
        return select(Backup)
    return select(Backup).where(Backup.project_id == (project or request.caller.project_id))


def _of(instance: Instance) -> Rows:
    return select(Backup).where(Backup.instance_id == instance.id, Backup.project_id == instance.project_id)


def _page(session: Session, request: Request, rows: Rows) -> Answer:
    """Newest first, by offset, as Trove has it."""
    window = paging.window(request)
    newest = rows.order_by(Backup.updated.desc(), Backup.id.desc()).offset(window.offset).limit(window.limit)
    found = session.scalars(newest).all()
    offers = _offers(session, found)
    views = [_view(each, offers) for each in found]
    return Answer(200, paging.page(request, "backups", views, window.following(len(views)), window.limit))


def _one(session: Session, request: Request) -> Backup:
    """Raises NotFound, also for another project's and for a name."""
    try:
        backup = session.get(Backup, str(uuid.UUID(request.path["id"])))
    except ValueError:
        backup = None
    caller = request.caller
    if backup is None or not (caller.is_admin or backup.project_id == caller.project_id):
        raise errors.NotFound(f"Backup {request.path['id']} cannot be found.")
    request.permit(backup.project_id)
    return backup


def _offers(session: Session, backups: Sequence[Backup]) -> Offers:
    wanted = {each.version_id for each in backups}
    rows = select(DatastoreVersion.id, Datastore.name, DatastoreVersion.name).join(
        Datastore, Datastore.id == DatastoreVersion.datastore_id
    )
    found = session.execute(rows.where(DatastoreVersion.id.in_(wanted)))
    return {version_id: (datastore, version) for version_id, datastore, version in found}


def _view(backup: Backup, offers: Offers) -> dict[str, Any]:
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
