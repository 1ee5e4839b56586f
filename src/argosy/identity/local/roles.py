"""The roles there are, and what each implies: as a freshly bootstrapped Keystone has them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from argosy import errors

NAMES = ("admin", "member", "reader")
"""From the mightiest down: each implies those after it."""

_SPACE = uuid.UUID("5f0c0c1e-6c55-4d4b-9a53-0a3f7a8f2d11")


def id_of(name: str) -> str:
    """The same in every deployment."""
    return uuid.uuid5(_SPACE, name).hex


_BY_ID = {id_of(name): name for name in NAMES}


def get(role_id: str) -> str:
    """The role's name. Raises NotFound."""
    try:
        return _BY_ID[role_id]
    except KeyError as error:
        raise errors.NotFound(f"role {role_id} cannot be found") from error


def effective(assigned: Iterable[str]) -> tuple[str, ...]:
    """The assigned roles with those that they imply."""
    first = min((NAMES.index(name) for name in assigned if name in NAMES), default=len(NAMES))
    return NAMES[first:]
