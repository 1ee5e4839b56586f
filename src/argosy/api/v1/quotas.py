"""Quotas of a project: read by itself and by administrators, set by administrators."""

from __future__ import annotations

from typing import Any

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.db import events, quotas
from argosy.db.quotas import Allowance

LARGEST = 2**31 - 1
"""of what is counted in instances and backups, in GiB and in MiB"""


def show(request: Request) -> Answer:
    """Raises Forbidden for another project's, unless an administrator asks."""
    project = request.path["id"]
    if project != request.caller.project_id and not request.caller.is_admin:
        raise errors.Forbidden(f"the quotas of project {project} are not yours to see")
    services = request.services
    with services.database.read() as session:
        allowances = quotas.report(session, services.settings, project)
    return Answer(200, {"quotas": [_view(each) for each in allowances]})


def update(request: Request) -> Answer:
    """Answers with what was changed; a limit of null is left as it is."""
    project, limits = request.path["id"], _limits(request.fields("quotas"))
    settings = request.services.settings
    with request.services.database.write() as session:
        quotas.allow(session, project, limits)
        session.flush()
        for each in quotas.report(session, settings, project):
            if each.resource in limits:
                events.tell(session, "dbaas.quota", subject=project, project_id=project, **_view(each))
    return Answer(200, {"quotas": limits})


def _limits(fields: Fields) -> dict[str, int]:
    """Raises NotFound for a resource that is none, BadRequest for a limit below -1."""
    unknown = sorted(set(fields.values) - set(quotas.RESOURCES))
    if unknown:
        raise errors.NotFound(f"Quota resource {unknown[0]} cannot be found.")
    given = {name: fields.integer(name, least=quotas.UNLIMITED, most=LARGEST) for name in fields.values}
    return {name: limit for name, limit in given.items() if limit is not None}


def _view(allowance: Allowance) -> dict[str, Any]:
    """Nothing is ever reserved without being used: both happen in one transaction."""
    return {"resource": allowance.resource, "in_use": allowance.in_use, "reserved": 0, "limit": allowance.limit}
