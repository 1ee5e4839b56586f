"""Volume types: one, what the provider makes its volumes of."""

from __future__ import annotations

from typing import Any

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import catalogue
from argosy.db.tables import Fact


def index(request: Request) -> Answer:
    return Answer(200, {"volume_types": [_only(request)]})


def show(request: Request) -> Answer:
    """By id or name, which are the same."""
    only = _only(request)
    if request.path["id"] != only["id"]:
        raise errors.NotFound(f"Volume type {request.path['id']} cannot be found.")
    return Answer(200, {"volume_type": only})


def of_version(request: Request) -> Answer:
    """The same for every version that there is."""
    with request.services.database.read() as session:
        offered = catalogue.datastore(session, request.path["datastore"], inactive=True)
    catalogue.version(offered, request.path["version"])
    return index(request)


def _only(request: Request) -> dict[str, Any]:
    with request.services.database.read() as session:
        fact = session.get(Fact, "provider")
    name = fact.value["name"] if fact else "local"
    return {"id": name, "name": name, "is_public": True, "description": f"volumes of the provider {name}"}
