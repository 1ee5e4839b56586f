"""Datastores and their versions: what can be asked for here."""

from __future__ import annotations

from typing import Any

from argosy import errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.v1 import catalogue
from argosy.api.v1 import flavors as flavors_of
from argosy.api.v1.catalogue import Offered
from argosy.db import events
from argosy.db.tables import DatastoreVersion
from argosy.workflows import offers, upgrades


def index(request: Request) -> Answer:
    with request.services.database.read() as session:
        offered = catalogue.everything(session, inactive=request.caller.is_admin)
    seen = [each for each in offered if each.versions or request.caller.is_admin]
    return Answer(200, {"datastores": [_view(request, each) for each in seen]})


def show(request: Request) -> Answer:
    return Answer(200, {"datastore": _view(request, _offered(request))})


def versions(request: Request) -> Answer:
    offered = _offered(request, inactive=request.caller.is_admin)
    return Answer(200, {"versions": [_version_in(request, each) for each in offered.versions]})


def version(request: Request) -> Answer:
    found = catalogue.version(_offered(request, inactive=True), request.path["version"])
    return Answer(200, {"version": _version_whole(request, found)})


def version_by_id(request: Request) -> Answer:
    with request.services.database.read() as session:
        found = catalogue.version_by_id(session, request.path["version"])
    return Answer(200, {"version": _version_whole(request, found)})


def flavors(request: Request) -> Answer:
    """The version's menu; all flavors where an operator has set none."""
    found = catalogue.version(_offered(request, inactive=True), request.path["version"])
    with request.services.database.read() as session:
        vetted = offers.menu(session, found.id)
    views = flavors_of.views(request)
    return Answer(200, {"flavors": [each for each in views if not vetted or each["str_id"] in vetted]})


def delete(request: Request) -> Answer:
    """Raises BadRequest while it has versions. What is on this machine comes back by itself."""
    with request.services.database.write() as session:
        offered = catalogue.datastore(session, request.path["datastore"], inactive=True)
        if offered.versions:
            raise errors.BadRequest(f"Datastore '{offered.datastore.name}' has versions: delete them first.")
        session.delete(offered.datastore)
        events.tell(session, "dbaas.datastore_delete", subject=offered.datastore.id, name=offered.datastore.name)
    return ACCEPTED


def _offered(request: Request, *, inactive: bool = False) -> Offered:
    with request.services.database.read() as session:
        return catalogue.datastore(session, request.path["datastore"], inactive=inactive)


def _view(request: Request, offered: Offered) -> dict[str, Any]:
    view = {
        "id": offered.datastore.id,
        "name": offered.datastore.name,
        "links": request.links.of("datastores", offered.datastore.id),
        "versions": [_version(request, each) for each in offered.versions],
    }
    if offered.datastore.default_version_id in {each.id for each in offered.versions}:
        view["default_version"] = offered.datastore.default_version_id
    return view


def _version_whole(request: Request, version: DatastoreVersion) -> dict[str, Any]:
    with request.services.database.read() as session:
        later = [upgrades.called(session, version, each) for each in upgrades.targets(session, version)]
    return {**_version_in(request, version), "upgrades_to": later}


def _version_in(request: Request, version: DatastoreVersion) -> dict[str, Any]:
    return {**_version(request, version), "datastore": version.datastore_id}


def _version(request: Request, version: DatastoreVersion) -> dict[str, Any]:
    view = {
        "id": version.id,
        "name": version.name,
        "version": version.number,
        "links": request.links.of("datastores/versions", version.id),
        "capabilities": version.capabilities,
    }
    if version.note:
        view["note"] = version.note
    return {**view, **_for_admins(version)} if request.caller.is_admin else view


def _for_admins(version: DatastoreVersion) -> dict[str, Any]:
    return {
        "active": version.active,
        "packages": ",".join(version.packages),
        "image": version.image,
        "image_tags": version.image_tags,
        "registry_ext": version.registry_ext,
        "repl_strategy": version.repl_strategy,
    }
