"""Configuration groups: settings under a name, for instances of one datastore version."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import attachment, catalogue, configuration_rows, configuration_view
from argosy.api.v1.catalogue import Offered
from argosy.db import events
from argosy.db.tables import Configuration, DatastoreVersion, Run
from argosy.workflows import configure_instance, parameters

MADE, REPLACED, EDITED, DELETED = (f"dbaas.configuration_{verb}" for verb in ("create", "update", "edit", "delete"))


def index(request: Request) -> Answer:
    """By id. Administrators see every project's."""
    limit = paging.limit(request)
    owner = None if request.caller.is_admin else request.caller.project_id
    with request.services.database.read() as session:
        shown, last = paging.cut(configuration_rows.page(session, owner, paging.marker(request), limit), limit)
        views = [configuration_view.summary(each) for each in configuration_rows.complete(session, shown)]
    return Answer(200, paging.page(request, "configurations", views, last))


def create(request: Request) -> Answer:
    fields = request.fields("configuration")
    name, values = fields.needed_text("name"), _values(fields)
    with request.services.database.write() as session:
        version = _version(session, request, fields.object("datastore"))
        made = _made(request, version, name, fields.text("description"))
        made.settings = parameters.check(parameters.menu(session, version.id), values)
        session.add(made)
        session.flush()
        _tell(session, MADE, made)
        view = _detail(session, made)
    return Answer(200, {"configuration": view})


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"configuration": _detail(session, configuration_rows.one(session, request))})


def replace(request: Request) -> Answer:
    """PUT: all values anew; name and description too where given."""
    fields = request.fields("configuration")
    with request.services.database.write() as session:
        found = configuration_rows.one(session, request)
        _rename(found, fields)
        runs = _change(session, found, fields, {})
        _tell(session, REPLACED, found)
    attachment.wait_for(request, runs)
    return ACCEPTED


def edit(request: Request) -> Answer:
    """PATCH: these values anew, the others stay. 200 without a body, as in Trove."""
    fields = request.fields("configuration")
    with request.services.database.write() as session:
        found = configuration_rows.one(session, request)
        _rename(found, fields)
        runs = _change(session, found, fields, found.settings)
        _tell(session, EDITED, found)
    attachment.wait_for(request, runs)
    return Answer(200)


def delete(request: Request) -> Answer:
    with request.services.database.write() as session:
        found = configuration_rows.one(session, request)
        if configure_instance.attached(session, found.id):
            raise errors.BadRequest(f"Configuration {found.id} is attached to an instance: detach it first.")
        _tell(session, DELETED, found)
        session.delete(found)
    return ACCEPTED


def instances(request: Request) -> Answer:
    """Those that have it, by id."""
    limit = paging.limit(request)
    with request.services.database.read() as session:
        found = configuration_rows.instances(
            session, configuration_rows.one(session, request), paging.marker(request), limit
        )
    shown, last = paging.cut(found, limit)
    views = [{"id": each.id, "name": each.name} for each in shown]
    return Answer(200, paging.page(request, "instances", views, last))


def _rename(found: Configuration, fields: Fields) -> None:
    found.name = fields.text("name") or found.name
    found.description = fields.text("description") or found.description
    found.updated = clock.now()


def _change(session: Session, found: Configuration, fields: Fields, kept: Mapping[str, Any]) -> list[Run]:
    """What an operator has locked since stays in the group and counts for nothing."""
    if "values" not in fields:
        return []
    values = parameters.check(parameters.menu(session, found.version_id), fields.object("values").values)
    return configure_instance.change(session, found, {**kept, **values})


def _made(request: Request, version: DatastoreVersion, name: str, description: str | None) -> Configuration:
    now = clock.now()
    return Configuration(
        id=str(uuid.uuid4()),
        project_id=request.caller.project_id,
        name=name,
        description=description,
        version_id=version.id,
        created=now,
        updated=now,
    )


def _values(fields: Fields) -> Mapping[str, Any]:
    if "values" not in fields:
        raise fields.wrong("values", "is a required property")
    return fields.object("values").values


def _version(session: Session, request: Request, fields: Fields) -> DatastoreVersion:
    """Inactive ones too: a group may outlive them. Raises BadRequest, NotFound."""
    name = fields.text("type") or request.services.settings.api.default_datastore
    if not name:
        raise errors.BadRequest("Please specify datastore. No default datastore is defined.")
    return _chosen(catalogue.datastore(session, name, inactive=True), fields)


def _chosen(offered: Offered, fields: Fields) -> DatastoreVersion:
    name, number = fields.text("version"), fields.text("version_number") or ""
    return catalogue.version(offered, name or number, number) if name or number else catalogue.default(offered)


def _detail(session: Session, configuration: Configuration) -> dict[str, Any]:
    (seen,) = configuration_rows.complete(session, [configuration])
    return configuration_view.detail(seen, configuration_rows.count(session, configuration))


def _tell(session: Session, kind: str, configuration: Configuration) -> None:
    about = {"configuration_id": configuration.id, "name": configuration.name}
    version = {"datastore_version": configuration.version_id}
    events.tell(session, kind, subject=configuration.id, project_id=configuration.project_id, **about, **version)
