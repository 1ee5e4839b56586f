"""The OpenAPI document of this API, as it is kept in the repository."""

from __future__ import annotations

import json

from argosy.api.exchange import Answer, Request
from argosy.api.openapi import document


def show(_request: Request) -> Answer:
    return Answer(200, text=json.dumps(document()), media_type="application/json")


def page(_request: Request) -> Answer:
    """The same to read."""
    from argosy.api.openapi.page import page as written

    return Answer(200, text=written(), media_type="text/html; charset=utf-8")
