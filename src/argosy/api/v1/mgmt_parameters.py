"""What an operator says of the parameters of a version: other bounds, a baseline for every instance, a lock."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import delete as remove
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import catalogue
from argosy.api.v1 import parameters as tenants
from argosy.db import events
from argosy.db.tables import DatastoreVersion, Parameter
from argosy.engines import parameters as engines
from argosy.engines.parameters import Kind
from argosy.workflows import offers, parameters
from argosy.workflows.parameters import Offered

NAME = 128
"""characters"""


def index(request: Request) -> Answer:
    with request.services.database.read() as session:
        version = _version(session, request)
        menu = parameters.menu(session, version.id)
    return Answer(200, {"configuration-parameters": [view(version, each) for each in menu.values()]})


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        version = _version(session, request)
        return Answer(200, view(version, tenants.one(session, version, request.path["name"])))


def create(request: Request) -> Answer:
    """One that the version does not offer. Raises BadRequest for one that it does."""
    fields = request.fields("configuration-parameter")
    name = fields.needed_text("name", most=NAME)
    with request.services.database.write() as session:
        version = _version(session, request)
        if name.lower() in parameters.menu(session, version.id):
            raise errors.BadRequest(f"Configuration parameter {name} exists for datastore version {version.id}.")
        if "data_type" not in fields:
            raise fields.wrong("data_type", "is a required property")
        return _write(session, version, fields, _row(session, version, name), "create")


def update(request: Request) -> Answer:
    fields = request.fields("configuration-parameter")
    with request.services.database.write() as session:
        version = _version(session, request)
        known = tenants.one(session, version, request.path["name"])
        return _write(session, version, fields, _row(session, version, known.parameter.name), "update")


def delete(request: Request) -> Answer:
    """Not offered any more. What instances have of it they keep until their configuration changes."""
    name = request.path["name"]
    with request.services.database.write() as session:
        version = _version(session, request)
        known = parameters.menu(session, version.id).get(name.lower())
        if known is None:
            raise errors.BadRequest(f"Configuration parameter {name} cannot be found.")
        session.execute(remove(Parameter).where(Parameter.version_id == version.id, Parameter.name == name))
        if known.parameter.name.lower() in _declared(session, version):
            session.merge(Parameter(version_id=version.id, name=known.parameter.name, removed=True))
        _tell(session, "delete", version, known)
    return Answer(204)


def view(version: DatastoreVersion, offered: Offered) -> dict[str, Any]:
    """Bounds have other names here than for tenants, as in Trove; both may be null."""
    told = tenants.view(version, offered)
    bounds = {"max_size": offered.parameter.maximum, "min_size": offered.parameter.minimum}
    plain = {key: value for key, value in told.items() if key not in ("max", "min")}
    return {**plain, **bounds, "baseline": offered.baseline, "locked": offered.locked}


def _write(session: Session, version: DatastoreVersion, fields: Fields, row: Parameter, doing: str) -> Answer:
    row.removed = False
    if "data_type" in fields:
        _rule(fields, row)
    if "baseline" in fields.values:
        row.baseline = fields.get("baseline")
    row.locked = bool(fields.flag("locked") if "locked" in fields else row.locked)
    session.flush()
    known = tenants.one(session, version, row.name)
    row.baseline = _checked(known)
    _tell(session, doing, version, known)
    return Answer(200, view(version, dataclasses.replace(known, baseline=row.baseline)))


def _rule(fields: Fields, row: Parameter) -> None:
    """Raises BadRequest."""
    row.data_type = fields.choice("data_type", tuple(Kind)) or ""
    row.restart_required = bool(fields.integer("restart_required", least=0, most=1))
    row.minimum, row.maximum = _bound(fields, "min_size"), _bound(fields, "max_size")
    if row.data_type == Kind.INTEGER and (row.minimum is None or row.maximum is None):
        raise fields.wrong("max_size" if row.maximum is None else "min_size", "is required for an integer")
    if row.minimum is not None and row.maximum is not None and row.maximum < row.minimum:
        raise fields.wrong("max_size", "must not be less than min_size")


def _bound(fields: Fields, name: str) -> float | None:
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise fields.wrong(name, "must be a number")
    return value


def _checked(known: Offered) -> Any:
    """The baseline in the engine's spelling. Raises BadRequest for one that its own rule refuses."""
    if known.baseline is None:
        if known.locked:
            raise errors.BadRequest(f"parameter {known.parameter.name} cannot be locked without a baseline")
        return None
    try:
        return known.parameter.check(known.baseline)
    except errors.Unprocessable as error:
        raise errors.BadRequest(f"baseline: {error.message}") from error


def _row(session: Session, version: DatastoreVersion, name: str) -> Parameter:
    row = session.get(Parameter, (version.id, name))
    if row is None:
        row = Parameter(version_id=version.id, name=name)
        session.add(row)
    return row


def _declared(session: Session, version: DatastoreVersion) -> frozenset[str]:
    return frozenset(engines.offered(offers.get(session, version.id).engine.name, version.number))


def _version(session: Session, request: Request) -> DatastoreVersion:
    return catalogue.version_by_id(session, request.path["version"])


def _tell(session: Session, doing: str, version: DatastoreVersion, known: Offered) -> None:
    said = {"baseline": known.baseline, "locked": known.locked}
    events.tell(
        session,
        f"dbaas.parameter_{doing}",
        subject=version.id,
        datastore_version_id=version.id,
        name=known.parameter.name,
        **said,
    )
