"""How a guest proves who it is: a one-time token, traded for a credential that opens its own row and no other.

The token is derived from guest and generation, so a repeated boot document is the same; it is good until the
credential it was traded for is first used. The credential rests hashed; while it is being rotated the old one is good
until the new one is used. A rebuild is a new generation, for which older tokens and credentials are worth nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, case, delete, null, update
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db import sealed
from argosy.db.tables import Command, Guest
from argosy.model import wire

CREDENTIAL_BYTES = 32


@dataclass(frozen=True)
class Known:
    """A guest that has proved who it is."""

    id: str
    generation: int


def token(guest: str, generation: int) -> str:
    """The one-time token of this guest: the same each time."""
    return hmac.new(sealed.derive("enrolment"), f"{guest}:{generation}".encode(), hashlib.sha256).hexdigest()


def expect(session: Session, guest: str, generation: int) -> Guest:
    """The row of a guest that will enrol; a new generation forgets all that an older one proved. May be repeated."""
    row = session.get(Guest, guest)
    if row is None or row.generation != generation:
        fresh = Guest(id=guest, generation=generation, confirmed=False, connected=False, boot="", seq=0)
        fresh.credential = fresh.next_credential = None
        row = session.merge(fresh)
    return row


def forget(session: Session, guest: str) -> None:
    """The guest is gone for good: its credential opens nothing, and nobody will do what it was asked."""
    session.execute(delete(Command).where(Command.guest_id == guest))
    session.execute(delete(Guest).where(Guest.id == guest))


def enrol(session: Session, request: wire.Enrol) -> wire.Enrolled:
    """A new credential for a token. Raises Unauthorized, without saying why: the guest's log knows what it sent."""
    if not hmac.compare_digest(token(request.guest, request.generation).encode(), request.token.encode()):
        raise errors.Unauthorized("this token opens nothing")
    secret = secrets.token_hex(CREDENTIAL_BYTES)
    mine = (Guest.id == request.guest) & (Guest.generation == request.generation) & Guest.confirmed.is_(False)
    found = session.execute(update(Guest).where(mine).values(credential=_hash(secret), next_credential=None))
    if not found.rowcount:  # type: ignore[attr-defined]
        raise errors.Unauthorized("this token opens nothing")
    return wire.Enrolled(f"{request.guest}.{secret}")


def rotate(session: Session, known: Known) -> wire.Enrolled:
    """The next credential of a guest. The one in use stays good until this one is used."""
    secret = secrets.token_hex(CREDENTIAL_BYTES)
    session.execute(_row(known).values(next_credential=_hash(secret)))
    return wire.Enrolled(f"{known.id}.{secret}")


def recognise(session: Session, credential: str) -> tuple[Known, bool]:
    """Whose credential this is, and whether it is used for the first time: then `confirm` must follow.

    Raises Unauthorized.
    """
    guest, _, secret = credential.partition(".")
    row = session.get(Guest, guest) if len(guest) <= 36 else None
    current, following = (row.credential, row.next_credential) if row else (None, None)
    shown = _hash(secret)
    is_current, is_next = _same(shown, current), _same(shown, following)
    if row is None or not (is_current or is_next):
        raise errors.Unauthorized("this credential opens nothing")
    return Known(row.id, row.generation), is_next or not row.confirmed


def confirm(session: Session, known: Known, credential: str) -> None:
    """The credential has been used: one-time token and predecessor are worth nothing any more. Raises Unauthorized
    when it was replaced in the meantime.
    """
    shown = _hash(credential.partition(".")[2])
    mine = (Guest.credential == shown) | (Guest.next_credential == shown)
    found = session.execute(
        _row(known).where(mine).values(credential=shown, next_credential=_unless(shown), confirmed=True)
    )
    if not found.rowcount:  # type: ignore[attr-defined]
        raise errors.Unauthorized("this credential opens nothing")


def _row(known: Known) -> Update:
    return update(Guest).where(Guest.id == known.id, Guest.generation == known.generation)


def _unless(shown: str) -> ColumnElement[str | None]:
    """The next credential, unless it is the one shown: then it has become the credential."""
    return case((Guest.next_credential == shown, null()), else_=Guest.next_credential)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _same(shown: str, kept: str | None) -> bool:
    return hmac.compare_digest(shown.encode(), (kept or "").encode())
