"""What the query of a request says, beside texts."""

from __future__ import annotations

import re

from argosy import errors
from argosy.api.exchange import Request

NUMBER = re.compile(r"-?[0-9]{1,40}")
YES = ("true", "1", "yes")


def number(request: Request, name: str, default: int = 0, *, least: int = 0, most: int = 2**62) -> int:
    """`default` without it, `most` for more. Raises BadRequest for less than `least` and for what is no number."""
    asked = request.query.get(name) or str(default)
    if not NUMBER.fullmatch(asked):
        raise errors.BadRequest(f"{name} must be a whole number, not {asked!r}")
    if int(asked) < least:
        raise errors.BadRequest(f"{name} must be at least {least}")
    return min(int(asked), most)


def flag(request: Request, name: str) -> bool:
    """Whether it says yes; anything else, and nothing, is no."""
    return request.query.get(name, "").lower() in YES
