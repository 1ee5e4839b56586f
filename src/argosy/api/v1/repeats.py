"""A create request that is sent again because its answer was lost: it finds what the first one made."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Request
from argosy.api.fields import Fields
from argosy.db import sealed
from argosy.db.tables import Instance

HEADER = "X-Client-Token"
KEY = "client_token"
LONGEST = 64


@dataclass(frozen=True)
class Token:
    """What the client calls its request, and what was in it: only who knows the key can guess at that."""

    value: str
    digest: str


def token(request: Request, fields: Fields) -> Token | None:
    """From the body, or from the header. Raises BadRequest."""
    told = {KEY: fields.get(KEY) or request.header(HEADER)}
    value = Fields(told).text(KEY, most=LONGEST)
    if value is None:
        return None
    asked = {name: each for name, each in fields.values.items() if name != KEY}
    written = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    return Token(value, hmac.new(sealed.derive("client token"), written, hashlib.sha256).hexdigest())


def earlier(session: Session, request: Request, token: Token) -> Instance | None:
    """What the first request of this name made. Raises Conflict when that one asked for something else."""
    mine = (Instance.project_id == request.caller.project_id) & (Instance.client_token == token.value)
    found = session.scalars(select(Instance).where(mine)).one_or_none()
    if found is not None and found.client_digest != token.digest:
        raise errors.Conflict(
            f"client token {token.value} belongs to another request, which made instance {found.id}: choose a new one"
        )
    return found
