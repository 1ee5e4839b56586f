"""Create an instance: the body of `POST /instances` becomes a NewInstance; unknown keys are ignored."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import (
    accounts,
    catalogue,
    configuration_rows,
    flavors,
    instance_modules,
    instance_rows,
    instance_view,
    instances,
    placement,
    recovery,
    repeats,
    restore_point,
    root,
    tags,
)
from argosy.api.v1.catalogue import Offered
from argosy.api.v1.repeats import Token
from argosy.db.tables import Backup, DatastoreVersion
from argosy.engines import registry
from argosy.engines.base import Names
from argosy.model.guest import TlsMode
from argosy.settings import Settings
from argosy.workflows import create_instance, offers
from argosy.workflows.create_instance import Admitted, NewInstance

UNBUILT = ("replica_of",)
RULES = {
    "users": "instance:extension:user:create",
    "configuration": "instance:update",
    "databases": "instance:extension:database:create",
    "modules": "instance:module_apply",
    "recovery": "instance:recovery_update",
}
"""What a request does besides, and the rule for it."""


def create(request: Request) -> Answer:
    """200 with the instance in BUILD; `password` is the master user's, told this once.

    The same request sent again with its client token is answered with what the first one made.
    """
    fields = request.fields("instance")
    _permit_more(request, fields)
    token = repeats.token(request, fields)
    admitted = _made_before(request, token) or _admit(request, fields, token)
    with request.services.database.read() as session:
        view = _view(session, request, admitted)
    return Answer(200, {"instance": view})


def _made_before(request: Request, token: Token | None) -> Admitted | None:
    """Raises Conflict."""
    if token is None:
        return None
    with request.services.database.read() as session:
        found = repeats.earlier(session, request, token)
    return Admitted(found, None) if found else None


def _admit(request: Request, fields: Fields, token: Token | None) -> Admitted:
    services = request.services
    with services.database.read() as session:
        wanted = read(session, request, fields)
    if wanted.restore:
        restore_point.examine(request, wanted.restore)
    if token:
        wanted = dataclasses.replace(wanted, client_token=token.value, client_digest=token.digest)
    try:
        with services.database.write() as session:
            admitted = create_instance.admit(session, services.settings, request.caller, wanted)
            if admitted.password:
                root.tell(admitted.instance, request.caller.user_id)
    except IntegrityError:
        if faster := _made_before(request, token):  # the same request, at the same time
            return faster
        raise
    return admitted


def read(session: Session, request: Request, fields: Fields) -> NewInstance:
    """Raises BadRequest naming what is wrong; OverQuota for a volume beyond the largest; NotSupported."""
    settings = request.services.settings
    _refuse_unbuilt(fields)
    name, flavor = instances.new_name(fields), flavors.chosen(settings, fields)
    restore = restore_point.read(session, request, fields)
    origin = restore_point.backup(session, request, restore) if restore else None
    version, rules = _version(session, settings, fields.object("datastore"), origin)
    databases, nics = accounts.databases(fields, rules), placement.nics(fields)
    placement.require_free(session, nics)
    archived = recovery.wish(fields)
    return NewInstance(
        name=name,
        flavor_id=flavor.id,
        gigabytes=_gigabytes(settings, fields),
        version_id=version.id,
        region=fields.text("region_name") or settings.identity.region,
        databases=databases,
        users=accounts.users(fields, rules, databases),
        nics=nics,
        availability_zone=fields.text("availability_zone"),
        access=placement.access(fields),
        volume_type=fields.object("volume").text("type"),
        tls_mode=fields.choice("tls_mode", tuple(TlsMode)),
        locality=fields.choice("locality", placement.LOCALITIES),
        tags=tags.read(fields),
        configuration_id=configuration_rows.chosen(session, request, fields, version.id),
        modules=tuple(instance_modules.wanted(session, request, fields)),
        protected=bool(fields.flag("deletion_protection")),
        restore=restore,
        ends_at=recovery.peek(fields, restored=restore is not None),
        recovery=archived.enabled,
        keep_days=archived.keep_days,
    )


def _permit_more(request: Request, fields: Fields) -> None:
    for key, rule in RULES.items():
        if key in fields:
            request.permit(request.caller.project_id, rule)


def _view(session: Session, request: Request, admitted: Admitted) -> dict[str, Any]:
    (seen,) = instance_rows.complete(session, [admitted.instance])
    view = instance_view.detail(request, seen, instances.guarantees(session))
    return {**view, "password": admitted.password.value} if admitted.password else view


def _refuse_unbuilt(fields: Fields) -> None:
    """Clients that can do more send their keys empty; Heat sends a replica_count of 1 at any time."""
    for name in UNBUILT:
        if fields.get(name):
            raise errors.NotSupported(f"{name} is not supported by this release of Argosy")
    if (fields.integer("replica_count", least=1, most=3) or 1) > 1:
        raise errors.BadRequest("Cannot create multiple instances without a replica source: replica_of is missing.")


def _gigabytes(settings: Settings, fields: Fields) -> int:
    size = fields.object("volume").integer("size", least=1)
    if size is None:
        raise errors.BadRequest("Volume size was not specified.")
    most = settings.limits.max_volume_gigabytes
    if size > most:
        raise errors.OverQuota(f"Volume 'size' cannot exceed maximum of {most} GB, {size} cannot be accepted.")
    return size


def _version(
    session: Session, settings: Settings, fields: Fields, origin: Backup | None
) -> tuple[DatastoreVersion, Names]:
    """The version, and the rules that its engine has for names. A backup is restored into its own, if none is named."""
    if origin is not None and not fields.values:
        made = offers.get(session, origin.version_id)
        return made.version, made.engine.names
    name = fields.text("type") or settings.api.default_datastore
    if not name:
        raise errors.BadRequest("Please specify datastore. No default datastore is defined.")
    offered = catalogue.datastore(session, name)
    return _chosen(offered, fields), registry.get(offered.datastore.engine).names


def _chosen(offered: Offered, fields: Fields) -> DatastoreVersion:
    if not offered.versions:
        raise errors.BadRequest(f"Datastore '{offered.datastore.name}' has no active version.")
    name, number = fields.text("version"), fields.text("version_number") or ""
    if not name and not number:
        return catalogue.default(offered)
    try:
        return catalogue.version(offered, name or number, number)
    except errors.NotFound as error:
        raise errors.BadRequest(error.message) from error
