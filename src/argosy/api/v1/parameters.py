"""What may be set in the servers of a datastore version, for tenants."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import catalogue
from argosy.db.tables import DatastoreVersion
from argosy.workflows import parameters
from argosy.workflows.parameters import Offered


def index(request: Request) -> Answer:
    return _index(request, _named(request))


def show(request: Request) -> Answer:
    return _show(request, _named(request))


def index_by_version(request: Request) -> Answer:
    return _index(request, _by_id(request))


def show_by_version(request: Request) -> Answer:
    return _show(request, _by_id(request))


def view(version: DatastoreVersion, offered: Offered) -> dict[str, Any]:
    """As in Trove, bounds of 0 are left out. `unit`, `values`, `default`, `baseline` and `locked` are ours."""
    each = offered.parameter
    told = {
        "max": each.maximum or None,
        "min": each.minimum or None,
        "unit": each.unit or None,
        "values": list(each.choices or each.members) or None,
        "default": each.default,
        "baseline": offered.baseline,
        "locked": offered.locked or None,
    }
    return {
        "name": each.name,
        "datastore_version_id": version.id,
        "restart_required": each.restart,
        "type": each.kind,
        **{key: value for key, value in told.items() if value is not None},
    }


def one(session: Session, version: DatastoreVersion, name: str) -> Offered:
    """Raises NotFound."""
    try:
        return parameters.menu(session, version.id)[name.lower()]
    except KeyError as error:
        raise errors.NotFound(f"Configuration parameter {name} cannot be found.") from error


def _index(request: Request, version: DatastoreVersion) -> Answer:
    with request.services.database.read() as session:
        menu = parameters.menu(session, version.id)
    return Answer(200, {"configuration-parameters": [view(version, each) for each in menu.values()]})


def _show(request: Request, version: DatastoreVersion) -> Answer:
    """Not wrapped, as in Trove."""
    with request.services.database.read() as session:
        return Answer(200, view(version, one(session, version, request.path["name"])))


def _named(request: Request) -> DatastoreVersion:
    """Inactive ones too. Raises NotFound, BadRequest."""
    with request.services.database.read() as session:
        offered = catalogue.datastore(session, request.path["datastore"], inactive=True)
    return catalogue.version(offered, request.path["version"])


def _by_id(request: Request) -> DatastoreVersion:
    with request.services.database.read() as session:
        return catalogue.version_by_id(session, request.path["version"])
