"""What administrators ask of a guest. One that is silent costs three seconds, and a 503 that says so."""

from __future__ import annotations

from typing import Any

from argosy.api.exchange import Answer, Request
from argosy.api.v1 import asking, mgmt_instances


def diagnostics(request: Request) -> Answer:
    """Of the agent's process."""
    return Answer(200, {"diagnostics": _ask(request, "diagnostics")})


def hwinfo(request: Request) -> Answer:
    return Answer(200, {"hwinfo": _ask(request, "hwinfo")})


def rpc_ping(request: Request) -> Answer:
    _ask(request, "ping")
    return Answer(204)


def _ask(request: Request, verb: str) -> dict[str, Any]:
    with asking.seat(request):
        with request.services.database.read() as session:
            instance = mgmt_instances.living(session, request)
        return asking.ask(request, instance.id, verb)
