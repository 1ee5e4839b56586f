"""Clusters as administrators see them: no engine has any yet."""

from __future__ import annotations

from argosy import errors
from argosy.api.exchange import Answer, Request


def index(_request: Request) -> Answer:
    return Answer(200, {"clusters": []})


def missing(request: Request) -> Answer:
    raise errors.NotFound(f"Cluster {request.path['id']} cannot be found.")
