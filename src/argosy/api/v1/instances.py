"""Instances: list, show, rename, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging, query
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import attachment, catalogue, instance_rows, instance_view, placement, recovery, tags
from argosy.api.v1.instance_rows import Page, Seen
from argosy.db import events
from argosy.db.tables import Fact, Instance
from argosy.workflows import (
    change_access,
    delete_instance,
    instance_backups,
    quarantine_instance,
    upgrade_instance,
)

PUT = frozenset({"name", "configuration", "replica_of", "datastore_version", "access", "deletion_protection"})
PATCH = PUT - {"access"} | {"slave_of"}


def index(request: Request) -> Answer:
    return _page(request, lambda _session, seen: instance_view.summary(request, seen))


def detail(request: Request) -> Answer:
    with request.services.database.read() as session:
        promised = guarantees(session)
    return _page(request, lambda _session, seen: instance_view.detail(request, seen, promised))


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        (seen,) = instance_rows.complete(session, [instance_rows.one(session, request)])
        view = instance_view.whole(request, seen, guarantees(session))
        view["recovery"] = recovery.summary(session, seen.instance)
    return Answer(200, {"instance": view})


def update(request: Request) -> Answer:
    return _change(request, PUT)


def modify(request: Request) -> Answer:
    return _change(request, PATCH)


def delete(request: Request) -> Answer:
    """A protected one waits to be wanted back, after a last backup unless `skip_final_backup=true`.

    `delete_backups=true`: its backups go with it, which those of a protected one never do.
    """
    settings, last = request.services.settings, not query.flag(request, "skip_final_backup")
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        if query.flag(request, "delete_backups"):
            _refuse_protected(instance)
            instance_backups.require_free(session, settings, instance)
            delete_instance.admit(session, request.caller, instance, delete_backups=True)
        elif instance.protected:
            quarantine_instance.admit(session, settings, request.caller, instance, final_backup=last)
        else:
            delete_instance.admit(session, request.caller, instance)
    return ACCEPTED


def guarantees(session: Session) -> list[str]:
    """What holds for instances of this deployment, as its provider says."""
    fact = session.get(Fact, "provider")
    return list(fact.value["features"]) if fact else []


def _page(request: Request, view: Callable[[Session, Seen], dict[str, Any]]) -> Answer:
    """Walked by id, as the marker demands; newest first within the page."""
    limit = paging.limit(request)
    wanted = Page(request.caller.project_id, paging.marker(request), limit, tags.wanted(request))
    with request.services.database.read() as session:
        shown, last = paging.cut(instance_rows.page(session, wanted), limit)
        newest = sorted(shown, key=lambda each: each.created, reverse=True)
        views = [view(session, seen) for seen in instance_rows.complete(session, newest)]
    return Answer(200, paging.page(request, "instances", views, last))


def _change(request: Request, known: frozenset[str]) -> Answer:
    fields = request.fields("instance")
    fields.only(known)
    protected = fields.flag("deletion_protection")
    if len(fields.values.keys() - {"name", "deletion_protection"}) > 1:
        raise errors.BadRequest("Only one of configuration, replica_of, datastore_version and access can be changed.")
    name = new_name(fields) if "name" in fields.values else None
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        _refuse_detaching(instance, fields)
        runs = attachment.change(session, request, instance, fields) if _about_configuration(fields) else []
        if "datastore_version" in fields:
            wanted = catalogue.later(session, instance, fields.needed_text("datastore_version"))
            upgrade_instance.admit(session, request.caller, instance, wanted)
        if told := placement.access(fields):
            change_access.admit(session, request.caller, instance, told)
        if name or protected is not None:
            _describe(session, instance, name or instance.name, protected=protected)
    attachment.wait_for(request, runs)
    return ACCEPTED


def _describe(session: Session, instance: Instance, name: str, *, protected: bool | None) -> None:
    instance.name, instance.updated = name, clock.now()
    instance.protected = instance.protected if protected is None else protected
    told: dict[str, Any] = {} if protected is None else {"deletion_protection": protected}
    events.tell(session, "dbaas.instance_update", subject=instance.id, name=name, **told)


def _refuse_protected(instance: Instance) -> None:
    if instance.protected:
        raise errors.Unprocessable(f"Instance {instance.id} is protected: take its deletion_protection off first.")


def _about_configuration(fields: Fields) -> bool:
    """An empty body asks to detach, as in Trove."""
    return not fields.values or "configuration" in fields.values


def new_name(fields: Fields) -> str:
    """Raises BadRequest."""
    name = fields.needed_text("name")
    if not any(character.isalnum() for character in name):
        raise fields.wrong("name", "must hold a letter or a digit")
    return name


def _refuse_detaching(instance: Instance, fields: Fields) -> None:
    if fields.values.keys() & {"replica_of", "slave_of"}:
        raise errors.BadRequest(f"Instance {instance.id} is not a replica.")
