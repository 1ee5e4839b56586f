"""Where backups go: of one instance, or of all of a project's that have no strategy of their own."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import instance_rows
from argosy.db import events
from argosy.db.tables import BackupStrategy

CONTAINER = re.compile(r"[\w@%+=:,.-]+", re.ASCII)
"""What no shell has to quote, without the slash that no container's name may hold."""


def index(request: Request) -> Answer:
    rows = select(BackupStrategy).where(BackupStrategy.project_id == _project(request))
    if "instance_id" in request.query:
        rows = rows.where(BackupStrategy.instance_id == request.query["instance_id"])
    with request.services.database.read() as session:
        found = session.scalars(rows.order_by(BackupStrategy.instance_id)).all()
    return Answer(200, {"backup_strategies": [_view(each) for each in found]})


def create(request: Request) -> Answer:
    """A second one for the same instance, or for the project, takes the place of the first."""
    fields = request.fields("backup_strategy")
    fields.only(("swift_container", "instance_id"))
    container = _container(fields)
    with request.services.database.write() as session:
        project, instance_id = _subject(session, request, fields)
        made = session.merge(BackupStrategy(project_id=project, instance_id=instance_id, container=container))
        _tell(session, "create", made)
    return Answer(202, {"backup_strategy": _view(made)})


def delete(request: Request) -> Answer:
    """One that is not there is deleted already."""
    key = (_project(request), request.query.get("instance_id", ""))
    with request.services.database.write() as session:
        found = session.get(BackupStrategy, key)
        if found is not None:
            session.delete(found)
            _tell(session, "delete", found)
    return ACCEPTED


def _project(request: Request) -> str:
    """Raises Forbidden for another project's, unless an administrator asks."""
    own = request.caller.project_id
    asked = request.query.get("project_id") or own
    if asked != own and not request.caller.is_admin:
        raise errors.Forbidden(f"the backup strategies of project {asked} are not yours to see")
    return asked


def _subject(session: Session, request: Request, fields: Fields) -> tuple[str, str]:
    """Project and instance; the instance is empty for the whole project. Raises NotFound."""
    instance_id = fields.text("instance_id", most=36) if fields.get("instance_id") else None
    if instance_id is None:
        return request.caller.project_id, ""
    instance = instance_rows.named(session, request, instance_id)
    return instance.project_id, instance.id


def _container(fields: Fields) -> str:
    name = fields.needed_text("swift_container")
    if not CONTAINER.fullmatch(name):
        raise fields.wrong("swift_container", "must be of letters, digits and @%+=:,.-_")
    return name


def _view(strategy: BackupStrategy) -> dict[str, Any]:
    return {
        "project_id": strategy.project_id,
        "instance_id": strategy.instance_id,
        "backend": "swift",
        "swift_container": strategy.container,
    }


def _tell(session: Session, verb: str, strategy: BackupStrategy) -> None:
    events.tell(
        session,
        f"dbaas.backup_strategy_{verb}",
        subject=strategy.instance_id,
        project_id=strategy.project_id,
        swift_container=strategy.container,
    )
