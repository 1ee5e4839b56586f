"""Clusters: no engine has them yet, and every answer says so truthfully: there are none, and none can be made."""

from __future__ import annotations

from argosy import errors
from argosy.api.exchange import Answer, Request


def index(_request: Request) -> Answer:
    return Answer(200, {"clusters": []})


def create(request: Request) -> Answer:
    datastore = request.fields("cluster").object("datastore").text("type") or "this datastore"
    raise errors.NotSupported(f"Clusters are not supported by {datastore}.")


def unknown(request: Request) -> Answer:
    """Whatever is asked about one cluster."""
    raise errors.NotFound(f"Cluster {request.path['id']} cannot be found.")
