"""Where a guest's credential stands in a request."""

from __future__ import annotations

from starlette.datastructures import Headers

from argosy import errors


def bearer(headers: Headers) -> str:
    """What follows `Authorization: Bearer`. Raises Unauthorized."""
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise errors.Unauthorized("a guest shows its credential: Authorization: Bearer")
    return credential.strip()
