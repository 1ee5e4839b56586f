"""Datastore versions as operators see and change them.

What the provider found on this machine is offered by itself; an operator may withdraw it, rename it, or register a
build under another name.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import delete as remove
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import catalogue, version_fields
from argosy.db import events
from argosy.db.tables import Backup, Configuration, Datastore, DatastoreVersion, Instance, VersionFlavor
from argosy.engines import registry
from argosy.engines.base import Engine
from argosy.workflows import offers


def index(request: Request) -> Answer:
    with request.services.database.read() as session:
        offered = catalogue.everything(session, inactive=True)
        return Answer(200, {"versions": [view(each.datastore, one) for each in offered for one in each.versions]})


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        version = catalogue.version_by_id(session, request.path["id"])
        return Answer(200, {"version": view(session.get_one(Datastore, version.datastore_id), version)})


def create(request: Request) -> Answer:
    """A build of this machine under a name of the operator's. Raises BadRequest for an active one without a build."""
    fields = request.fields("version")
    fields.only(version_fields.NEW)
    name, datastore_name = fields.needed_text("name"), fields.needed_text("datastore_name")
    with request.services.database.write() as session:
        datastore = _datastore(session, datastore_name, _engine(fields))
        version = _register(session, datastore, name, fields)
        version_fields.change(session, datastore, version, fields)
        _tell(session, "create", version)
    return ACCEPTED


def update(request: Request) -> Answer:
    """The body is flat, as Trove has it; wrapped in `version` it is understood too."""
    body = Fields(request.body or {})
    fields = body.object("version") if "version" in body else body
    fields.only(version_fields.CHANGES)
    with request.services.database.write() as session:
        version = catalogue.version_by_id(session, request.path["id"])
        datastore = session.get_one(Datastore, version.datastore_id)
        if "datastore_manager" in fields and _engine(fields).name != datastore.engine:
            raise fields.wrong("datastore_manager", f"must be one of {datastore.engine}")
        if "name" in fields:
            version.name = _free(session, datastore, fields.needed_text("name"), version.id)
        version_fields.change(session, datastore, version, fields)
        _tell(session, "update", version)
    return ACCEPTED


def delete(request: Request) -> Answer:
    """Raises BadRequest for a version that is in use, or that the provider would find again."""
    with request.services.database.write() as session:
        version = catalogue.version_by_id(session, request.path["id"])
        datastore = session.get_one(Datastore, version.datastore_id)
        _require_unused(session, version)
        if not version.registered and offers.build(session, datastore.engine, version.number):
            raise errors.BadRequest(
                f"version {version.name} was found on this machine: withdraw it by active=false, or remove its files"
            )
        session.execute(remove(VersionFlavor).where(VersionFlavor.version_id == version.id))
        session.delete(version)
        _tell(session, "delete", version)
        offers.choose_default(session, datastore.id)
    return ACCEPTED


def view(datastore: Datastore, version: DatastoreVersion) -> dict[str, Any]:
    return {
        "id": version.id,
        "name": version.name,
        "version": version.number,
        "datastore_id": datastore.id,
        "datastore_name": datastore.name,
        "datastore_manager": version.manager or datastore.engine,
        "image": version.image,
        "image_tags": version.image_tags,
        "packages": version.packages,
        "active": version.active,
        "registry_ext": version.registry_ext,
        "repl_strategy": version.repl_strategy,
        "backup_strategy": version.backup_strategy or None,
        "default": version.id == datastore.default_version_id,
        "capabilities": version.capabilities,
    }


def _register(session: Session, datastore: Datastore, name: str, fields: Fields) -> DatastoreVersion:
    number = fields.text("version", most=64) or name[:64]
    found = offers.build(session, datastore.engine, number)
    if not (fields.text("image") or fields.list("image_tags") or found):
        raise errors.BadRequest("Image or image tags are required for a version whose build is not on this machine.")
    version = DatastoreVersion(
        id=str(uuid.uuid4()),
        datastore_id=datastore.id,
        name=_free(session, datastore, name),
        number=number,
        registered=True,
        withdrawn=False,
        active=False,
        capabilities=[],
        manager="",
        backup_strategy="",
        image_tags=[],
        packages=[],
    )
    session.add(version)
    return version


def _free(session: Session, datastore: Datastore, name: str, own: str = "") -> str:
    """The name, when no other version of the datastore has it. Raises BadRequest."""
    named = (DatastoreVersion.datastore_id == datastore.id) & (DatastoreVersion.name == name)
    if session.scalar(select(DatastoreVersion.id).where(named, DatastoreVersion.id != own)):
        raise errors.BadRequest(f"Datastore version '{name}' of datastore '{datastore.name}' exists already.")
    return name


def _engine(fields: Fields) -> Engine:
    """What the manager's name stands for: an engine, or one of its datastores. Raises BadRequest."""
    manager = fields.needed_text("datastore_manager", most=64)
    for engine in registry.engines().values():
        if manager == engine.name or manager in {each.name for each in engine.datastores}:
            return engine
    raise fields.wrong("datastore_manager", f"{manager!r} is not known: {', '.join(registry.engines())} are")


def _datastore(session: Session, name: str, engine: Engine) -> Datastore:
    """Made when there is none of this name, as Trove does. Raises BadRequest for one of another engine."""
    found = session.scalar(select(Datastore).where(Datastore.name == name))
    if found is None:
        ids = {each.name: each.id for each in engine.datastores}
        found = Datastore(id=ids.get(name, str(uuid.uuid4())), name=name, engine=engine.name)
        session.add(found)
        session.flush()
    if found.engine != engine.name:
        raise errors.BadRequest(f"Datastore '{name}' is run by {found.engine}, not by {engine.name}.")
    return found


def _require_unused(session: Session, version: DatastoreVersion) -> None:
    uses: tuple[tuple[str, ColumnElement[bool]], ...] = (
        ("instance", (Instance.version_id == version.id) & Instance.deleted.is_(False)),
        ("backup", Backup.version_id == version.id),
        ("configuration", Configuration.version_id == version.id),
    )
    for what, where in uses:
        many = session.scalar(select(func.count()).where(where)) or 0
        if many:
            raise errors.BadRequest(f"Datastore version '{version.name}' is used by {many} {what}(s).")


def _tell(session: Session, verb: str, version: DatastoreVersion) -> None:
    kind = f"dbaas.datastore_version_{verb}"
    events.tell(session, kind, subject=version.id, name=version.name, number=version.number)
