"""Modules: make, list, show, change and delete them, and see where they are."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, defer

from argosy import clock, errors
from argosy.api import paging, query
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import catalogue, instance_rows, instance_view, module_fields, module_view
from argosy.api.v1.module_view import Kinds
from argosy.db import events
from argosy.db.tables import Instance, InstanceModule, Module
from argosy.workflows import module_rows, reapply_module
from argosy.workflows.reapply_module import Batches


def index(request: Request) -> Answer:
    """Those of the project and of all projects; administrators see everybody's. `datastore`: only what fits it."""
    limit = paging.limit(request)
    with request.services.database.read() as session:
        rows = select(Module).where(Module.id > paging.marker(request), *_seen(session, request))
        rows = rows.order_by(Module.id).limit(limit + 1).options(defer(Module.contents, raiseload=True))
        found = session.scalars(rows).all()
        kinds = Kinds.read(session)
    shown, last = paging.cut(found, limit)
    return Answer(200, paging.page(request, "modules", [module_view.summary(each, kinds) for each in shown], last))


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        module = _one(session, request)
        count = module_rows.count(session, module.id)
        view = module_view.detail(module, Kinds.read(session))
    return Answer(200, {"module": {**view, "instance_count": count}})


def create(request: Request) -> Answer:
    fields = request.fields("module")
    for name in ("name", "module_type", "contents"):
        if name not in fields:
            raise fields.wrong(name, "is a required property")
    now = clock.now()
    module = Module(
        id=str(uuid.uuid4()), project_id=request.caller.project_id, visible=True, auto_apply=False, live_update=False,
        priority_apply=False, full_access=False, apply_order=5, created=now, updated=now,
    )  # fmt: skip
    with request.services.database.write() as session:
        module_fields.read(session, request, fields, module)
        _require_unique(session, module)
        session.add(module)
        _tell(session, module, "create")
        view = module_view.detail(module, Kinds.read(session))
    return Answer(200, {"module": view})


def change(request: Request) -> Answer:
    fields = request.fields("module")
    with request.services.database.write() as session:
        module = _mine(session, request)
        if module_rows.count(session, module.id) and not module.live_update:
            raise errors.Forbidden(f"Module {module.name} is applied to instances and has no live_update.")
        with session.no_autoflush:
            module_fields.read(session, request, fields, module)
            _require_unique(session, module)
        module.updated = clock.now()
        _tell(session, module, "update")
        view = module_view.detail(module, Kinds.read(session))
    return Answer(200, {"module": view})


def delete(request: Request) -> Answer:
    with request.services.database.write() as session:
        module = _mine(session, request)
        if module_rows.count(session, module.id):
            raise errors.Forbidden(f"Module {module.name} is applied to instances: remove it from them first.")
        _tell(session, module, "delete")
        session.delete(module)
    return Answer(200)


def instances(request: Request) -> Answer:
    """Where it is applied; with `count_only`, how often each of its contents is."""
    if query.flag(request, "count_only"):
        return Answer(200, {"instances": _counts(request)})
    limit, owner = paging.limit(request), request.caller
    with request.services.database.read() as session:
        module = _one(session, request)
        rows = select(Instance).join(InstanceModule, InstanceModule.instance_id == Instance.id)
        rows = rows.where(InstanceModule.module_id == module.id, InstanceModule.instance_id > paging.marker(request))
        if not owner.is_admin:
            rows = rows.where(Instance.project_id == owner.project_id)
        found = session.scalars(rows.order_by(InstanceModule.instance_id).limit(limit + 1)).all()
        shown, last = paging.cut(found, limit)
        views = [instance_view.summary(request, each) for each in instance_rows.complete(session, shown)]
    return Answer(200, paging.page(request, "instances", views, last))


def reapply(request: Request) -> Answer:
    """Wherever it was applied, a few instances at a time."""
    fields = Fields(request.body or {}).object("reapply", required=True)
    size = fields.integer("batch_size", least=1, most=1000)
    delay = fields.integer("batch_delay", least=0, most=3600)
    batches = Batches(
        md5=fields.text("md5", most=32) or "",
        force=bool(module_fields.flag(fields, "force")),
        size=Batches.size if size is None else size,
        delay=Batches.delay if delay is None else delay,
    )
    with request.services.database.write() as session:
        reapply_module.admit(session, _mine(session, request), batches)
    return ACCEPTED


def _one(session: Session, request: Request) -> Module:
    """Raises NotFound, Forbidden."""
    module = module_rows.visible(session, request.caller, request.path["id"])
    request.permit(module.project_id or request.caller.project_id)
    return module


def _mine(session: Session, request: Request) -> Module:
    """Raises Forbidden for an administrator's or everybody's, unless the caller is one."""
    module = _one(session, request)
    if (module.is_admin or module.project_id is None) and not request.caller.is_admin:
        raise errors.Forbidden(f"Module {module.name} is an administrator's.")
    return module


def _seen(session: Session, request: Request) -> list[Any]:
    conditions: list[Any] = []
    if not request.caller.is_admin:
        mine = or_(Module.project_id == request.caller.project_id, Module.project_id.is_(None))
        conditions += [mine, Module.visible.is_(True)]
    if name := request.query.get("datastore"):
        datastore = catalogue.datastore(session, name, inactive=True).datastore
        conditions.append(or_(Module.datastore_id == datastore.id, Module.datastore_id.is_(None)))
    return conditions


def _require_unique(session: Session, module: Module) -> None:
    """Raises BadRequest."""
    same = select(Module.id).where(
        Module.name == module.name, Module.type == module.type, Module.id != module.id,
        Module.project_id.is_(None) if module.project_id is None else Module.project_id == module.project_id,
        Module.datastore_id.is_(None) if module.datastore_id is None else Module.datastore_id == module.datastore_id,
        Module.version_id.is_(None) if module.version_id is None else Module.version_id == module.version_id,
    )  # fmt: skip
    if session.scalar(same.limit(1)):
        raise errors.BadRequest(f"A module {module.name!r} of type {module.type} for this datastore exists already.")


def _counts(request: Request) -> list[dict[str, Any]]:
    with request.services.database.read() as session:
        module = _one(session, request)
        row = InstanceModule
        rows = session.execute(
            select(row.md5, func.count(), func.min(row.updated), func.max(row.updated))
            .where(row.module_id == module.id)
            .group_by(row.md5)
            .order_by(row.md5)
        ).all()
    return [
        {
            "module_name": module.name,
            "module_id": module.id,
            "module_md5": md5,
            "instance_count": count,
            "current": md5 == module.md5,
            "min_updated_date": clock.timestamp(first),
            "max_updated_date": clock.timestamp(last),
        }
        for md5, count, first, last in rows
    ]


def _tell(session: Session, module: Module, verb: str) -> None:
    events.tell(
        session,
        f"dbaas.module_{verb}",
        subject=module.id,
        project_id=module.project_id or "",
        name=module.name,
        type=module.type,
    )
