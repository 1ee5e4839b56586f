"""Which versions of the API there are."""

from __future__ import annotations

from typing import Any

from argosy.api.exchange import Answer, Request


def index(request: Request) -> Answer:
    return Answer(200, {"versions": [_view(request)]})


def show(request: Request) -> Answer:
    return Answer(200, {"version": _view(request)})


def _view(request: Request) -> dict[str, Any]:
    links = [{"rel": "self", "href": f"{request.links.base}/v1.0/"}]
    return {"id": "v1.0", "status": "CURRENT", "updated": "2012-08-01T00:00:00Z", "links": links}
