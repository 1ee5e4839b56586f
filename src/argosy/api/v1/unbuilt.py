"""What Trove has and Argosy has not yet: the answer is 501 and says so, instead of a 404 that would be untrue."""

from __future__ import annotations

from collections.abc import Iterator

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.route import Route

PATHS = (
    ("GET", "instances/{id}/backups"),
    ("GET", "instances/{id}/configuration"),
    ("GET POST", "instances/{id}/log"),
    ("GET POST", "instances/{id}/ssl"),
    ("GET POST", "instances/{id}/modules"),
    ("DELETE", "instances/{id}/modules/{name}"),
    ("DELETE", "instances/{id}/root"),
    ("GET POST", "instances/{id}/databases"),
    ("GET DELETE", "instances/{id}/databases/{name}"),
    ("GET POST PUT", "instances/{id}/users"),
    ("GET POST PUT DELETE", "instances/{id}/users/{name}"),
    ("GET PUT", "instances/{id}/users/{name}/databases"),
    ("DELETE", "instances/{id}/users/{name}/databases/{database}"),
    ("GET POST", "backups"),
    ("GET DELETE", "backups/{id}"),
    ("GET POST DELETE", "backup_strategies"),
    ("GET POST", "configurations"),
    ("GET PUT PATCH DELETE", "configurations/{id}"),
    ("GET", "configurations/{id}/instances"),
    ("GET", "datastores/{datastore}/versions/{version}/parameters"),
    ("GET", "datastores/{datastore}/versions/{version}/parameters/{name}"),
    ("GET", "datastores/versions/{version}/parameters"),
    ("GET", "datastores/versions/{version}/parameters/{name}"),
    ("GET", "datastores/{datastore}/versions/{version}/volume-types"),
    ("DELETE", "datastores/{datastore}"),
    ("GET POST", "clusters"),
    ("GET POST DELETE", "clusters/{id}"),
    ("GET", "clusters/{id}/instances/{name}"),
    ("GET POST", "clusters/{id}/root"),
    ("GET POST", "modules"),
    ("GET PUT DELETE", "modules/{id}"),
    ("GET PUT", "modules/{id}/instances"),
    ("GET", "mgmt/instances"),
    ("GET", "mgmt/instances/{id}"),
    ("POST", "mgmt/instances/{id}/action"),
    ("GET", "mgmt/instances/{id}/root"),
    ("GET", "mgmt/instances/{id}/diagnostics"),
    ("GET", "mgmt/instances/{id}/hwinfo"),
    ("GET", "mgmt/instances/{id}/rpc_ping"),
    ("POST", "mgmt/instances/{id}/upgrade"),
    ("GET", "mgmt/clusters"),
    ("GET", "mgmt/clusters/{id}"),
    ("POST", "mgmt/clusters/{id}/action"),
    ("GET POST", "mgmt/datastore-versions"),
    ("GET PATCH DELETE", "mgmt/datastore-versions/{id}"),
    ("GET POST", "mgmt/datastores/versions/{version}/parameters"),
    ("GET PUT DELETE", "mgmt/datastores/versions/{version}/parameters/{name}"),
)


def routes(prefix: str) -> Iterator[Route]:
    for methods, path in PATHS:
        for method in methods.split():
            yield Route(method, f"{prefix}/{path}", refuse)


def refuse(request: Request) -> Answer:
    raise errors.NotSupported(f"{request.links.path} is not supported by this release of Argosy")
