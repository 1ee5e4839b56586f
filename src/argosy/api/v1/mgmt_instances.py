"""Instances as administrators see them, of every project, those that were deleted among them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.paging import Window
from argosy.api.v1 import instance_rows, instances, mgmt_view
from argosy.db.tables import Instance
from argosy.workflows import reboot_server, rebuild_instance, reset_status, stop_instance

Act = Callable[[Session, Request, Instance, Fields], None]


def index(request: Request) -> Answer:
    """Newest change first; within a page newest instance first."""
    window = paging.window(request)
    with request.services.database.read() as session:
        shown = _window(session, request, window)
        promised = instances.guarantees(session)
        views = [mgmt_view.item(request, seen, promised) for seen in instance_rows.complete(session, shown)]
    return Answer(200, paging.page(request, "instances", views, window.following(len(shown)), window.limit))


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        (seen,) = instance_rows.complete(session, [_one(session, request, *_deleted(request))])
        view = mgmt_view.whole(request, seen, instances.guarantees(session))
    return Answer(200, {"instance": view})


def act(request: Request) -> Answer:
    """Exactly one action. Raises BadRequest."""
    body = Fields(request.body or {})
    if len(body.values) != 1 or next(iter(body.values)) not in ACTIONS:
        raise errors.BadRequest(f"the body must name one action of {', '.join(ACTIONS)}, and nothing else")
    (name,) = body.values
    with request.services.database.write() as session:
        ACTIONS[name](session, request, living(session, request), body.object(name))
    return ACCEPTED


def root(request: Request) -> Answer:
    """When and to whom a password of the master user was told first."""
    with request.services.database.read() as session:
        instance = _one(session, request)
    told = clock.timestamp(instance.master_told_at) if instance.master_told_at else "Never"
    history = {"id": instance.id, "enabled": told, "user": instance.master_told_by or "Nobody"}
    return Answer(200, {"root_history": history})


def upgrade(request: Request) -> Answer:
    """The agent becomes that of this release: a new sandbox is made around the guest."""
    request.fields("upgrade")
    with request.services.database.write() as session:
        reboot_server.admit(session, request.caller, living(session, request))
    return ACCEPTED


def living(session: Session, request: Request) -> Instance:
    """Raises NotFound."""
    return _one(session, request, Instance.deleted.is_(False))


def _one(session: Session, request: Request, *which: ColumnElement[bool]) -> Instance:
    name = request.path["id"]
    try:
        found = session.scalar(select(Instance).where(Instance.id == str(uuid.UUID(name)), *which))
    except ValueError:
        found = None
    if found is None:
        raise errors.NotFound(f"Resource {name} cannot be found.")
    return found


def _window(session: Session, request: Request, window: Window) -> list[Instance]:
    """Counted through by the index alone: only what is shown is read."""
    ids = session.scalars(_listed(request).limit(window.limit).offset(window.offset)).all()
    return list(session.scalars(select(Instance).where(Instance.id.in_(ids)).order_by(Instance.created.desc())))


def _listed(request: Request) -> Select[str]:
    query = select(Instance.id).where(*_deleted(request))
    if request.query.get("project_id"):
        query = query.where(Instance.project_id == request.query["project_id"])
    return query.order_by(Instance.updated.desc(), Instance.id.desc())


def _deleted(request: Request) -> list[ColumnElement[bool]]:
    """Both kinds when nothing is said of it. Raises BadRequest."""
    flag = Fields(request.query).flag("deleted")
    return [] if flag is None else [Instance.deleted.is_(flag)]


def _stop(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    stop_instance.admit(session, request.caller, instance)


def _reboot(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    reboot_server.admit(session, request.caller, instance)


def _migrate(_session: Session, _request: Request, _instance: Instance, _fields: Fields) -> None:
    raise errors.BadRequest("there is only this one machine: an instance cannot be moved to another")


def _reset_task_status(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    reset_status.admit(session, request.caller, instance)


def _rebuild(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    """An image would be of use where servers are made of images; here they are made of what is installed."""
    fields.text("image_id")
    rebuild_instance.admit(session, request.caller, instance)


ACTIONS: Mapping[str, Act] = {
    "stop": _stop,
    "reboot": _reboot,
    "migrate": _migrate,
    "reset-task-status": _reset_task_status,
    "rebuild": _rebuild,
}
