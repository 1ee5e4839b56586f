"""What Trove has and Argosy has not yet: the answer is 501 and says so, instead of a 404 that would be untrue."""

from __future__ import annotations

from collections.abc import Iterator

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.route import Route

PATHS = (
    ("POST", "backups"),
    ("DELETE", "backups/{id}"),
)


def routes(prefix: str) -> Iterator[Route]:
    for methods, path in PATHS:
        for method in methods.split():
            yield Route(method, f"{prefix}/{path}", refuse)


def refuse(request: Request) -> Answer:
    raise errors.NotSupported(f"{request.links.path} is not supported by this release of Argosy")
