"""Finds what somebody means by a name or an id."""

from __future__ import annotations

from collections.abc import Iterable

from argosy import errors
from argosy.client.resources import Document


def one(found: Iterable[Document], name_or_id: str, what: str) -> Document:
    """Raises NotFound; Rejected where several have the name."""
    meant = [each for each in found if name_or_id in (each["id"], each.get("name"))]
    if not meant:
        raise errors.NotFound(f"there is no {what} {name_or_id}")
    if len(meant) > 1:
        ids = ", ".join(each["id"] for each in meant)
        raise errors.Rejected(f"several {what}s are called {name_or_id}: use an id of {ids}")
    return meant[0]
