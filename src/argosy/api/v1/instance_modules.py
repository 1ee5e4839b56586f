"""Modules of an instance: list, apply, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api import query
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import asking, instance_rows, module_view
from argosy.api.v1.module_view import Kinds
from argosy.db.tables import Instance, InstanceModule, Module, Run
from argosy.workflows import change_modules, module_rows

PATIENCE = 15.0
"""seconds that a client waits for its guest"""


def index(request: Request) -> Answer:
    """What the rows say; with `from_guest`, also what the guest itself has, and since when."""
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        views = _views(session, request, instance.id, contents=query.flag(request, "include_contents"))
    if query.flag(request, "from_guest"):
        views = _as_the_guest_says(request, instance, views)
    return Answer(200, {"modules": views})


def apply(request: Request) -> Answer:
    """Answers once the guest has them, or has said why not."""
    wanted = Fields(request.body or {})
    with asking.seat(request):
        run, ids = _admit(request, wanted)
        asking.outcome(request, run.id, PATIENCE)
    with request.services.database.read() as session:
        views = [each for each in _views(session, request, run.subject) if each["id"] in ids]
    return Answer(200, {"modules": views})


def remove(request: Request) -> Answer:
    with asking.seat(request):
        with request.services.database.write() as session:
            instance = instance_rows.one(session, request)
            run = change_modules.remove(session, request.caller, instance, request.path["name"])
        asking.outcome(request, run.id, PATIENCE)
    return Answer(200)


def wanted(session: Session, request: Request, fields: Fields) -> Sequence[Module]:
    """The modules that a body names. Raises BadRequest, NotFound."""
    ids = dict.fromkeys(each.needed_text("id", most=36) for each in fields.objects("modules"))
    return [module_rows.visible(session, request.caller, each) for each in ids]


def _admit(request: Request, fields: Fields) -> tuple[Run, set[str]]:
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        modules = wanted(session, request, fields)
        if not modules:
            raise errors.BadRequest("Validation error: modules must name at least one module")
        asking.require_running(session, instance)
        run = change_modules.apply(session, request.caller, instance, modules)
        return run, {each.id for each in modules}


def _views(session: Session, request: Request, instance_id: str, *, contents: bool = False) -> list[dict[str, Any]]:
    """Hidden ones are shown to administrators only."""
    admin = request.caller.is_admin
    joined = select(Module, InstanceModule).join(InstanceModule, InstanceModule.module_id == Module.id)
    rows = session.execute(joined.where(InstanceModule.instance_id == instance_id).order_by(Module.name, Module.id))
    kinds = Kinds.read(session)
    return [
        module_view.applied(module, row, kinds) | (module_view.contents(module, admin=admin) if contents else {})
        for module, row in rows
        if module.visible or admin
    ]


def _as_the_guest_says(request: Request, instance: Instance, views: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Raises GuestSilent."""
    with asking.seat(request):
        told = asking.ask(request, instance.id, "modules").get("modules", {})
    return [
        {**each, **{key: str(told[each["id"]][key]) for key in ("md5", "status", "message")}}
        for each in views
        if each["id"] in told
    ]
