"""Backups: list, show, delete, cancel."""

from __future__ import annotations

import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging, query
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.v1 import backup_view, instance_rows
from argosy.db import events
from argosy.db.tables import Backup, Datastore, DatastoreVersion, Instance
from argosy.workflows import backup_quarantine, create_backup

Rows = Select[Backup]


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
        (view,) = backup_view.of(session, [one(session, request)])
    return Answer(200, {"backup": view})


def update(request: Request) -> Answer:
    """What is not named stays."""
    fields = request.fields("backup")
    fields.only(("name", "description", "deletion_protection"))
    name, description = fields.text("name"), fields.text("description")
    protected = fields.flag("deletion_protection")
    with request.services.database.write() as session:
        backup = one(session, request)
        backup.name, backup.description = name or backup.name, description or backup.description
        backup.protected = backup.protected if protected is None else protected
        backup.updated = clock.now()
        told = {"backup_id": backup.id, "name": backup.name, "deletion_protection": backup.protected}
        kind = "dbaas.backup_update"
        events.tell(session, kind, subject=backup.instance_id, project_id=backup.project_id, **told)
        (view,) = backup_view.of(session, [backup])
    return Answer(200, {"backup": view})


def delete(request: Request) -> Answer:
    """What builds on it goes with it. A protected one can be brought back for some time."""
    with request.services.database.write() as session:
        backup_quarantine.delete(session, request.services.settings, one(session, request))
    return ACCEPTED


def cancel(request: Request) -> Answer:
    with request.services.database.write() as session:
        create_backup.cancel(session, one(session, request))
    return ACCEPTED


def one(session: Session, request: Request) -> Backup:
    """The backup that the path names. Raises NotFound, also for another project's and for a name, and Forbidden."""
    try:
        backup = session.get(Backup, str(uuid.UUID(request.path["id"])))
    except ValueError:
        backup = None
    caller = request.caller
    visible = backup is not None and (caller.is_admin or backup.project_id == caller.project_id)
    if backup is None or not visible or backup.quarantined_until is not None:
        raise errors.NotFound(f"Backup {request.path['id']} cannot be found.")
    if request.rule:
        request.permit(backup.project_id)
    return backup


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
    newest = rows.where(Backup.quarantined_until.is_(None)).order_by(Backup.updated.desc(), Backup.id.desc())
    found = session.scalars(newest.offset(window.offset).limit(window.limit)).all()
    views = backup_view.of(session, found)
    return Answer(200, paging.page(request, "backups", views, window.following(len(views)), window.limit))
