"""Limits: quotas first (clients take the first entry for them), then the rates."""

from __future__ import annotations

from typing import Any

from argosy import clock
from argosy.api import rates
from argosy.api.exchange import Answer, Request
from argosy.db import quotas


def index(request: Request) -> Answer:
    return Answer(200, {"limits": [_absolute(request), *(_rate(request, verb) for verb in rates.VERBS)]})


def _absolute(request: Request) -> dict[str, Any]:
    services = request.services
    with services.database.read() as session:
        allowances = quotas.report(session, services.settings, request.caller.project_id)
    return {"verb": "ABSOLUTE", **{f"max_{each.resource}": each.limit for each in allowances}}


def _rate(request: Request, verb: str) -> dict[str, Any]:
    rate = request.services.rates
    return {
        "verb": verb,
        "uri": "*",
        "regex": ".*",
        "value": rate.per_minute,
        "unit": "MINUTE",
        "remaining": rate.remaining(request.caller.project_id, verb),
        "nextAvailable": f"{clock.timestamp(clock.now())}Z",
    }
