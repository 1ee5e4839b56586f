"""What guests became, told as events in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.tables import Guest, Instance
from argosy.model.guest import Health

TOLD = (Health.HEALTHY, Health.BLOCKED, Health.FAILED, Health.DOWN, Health.STOPPED)
"""Healths that are news; what a server passes through on its way to one of them is none."""


def healths(session: Session, guests: Sequence[str]) -> Mapping[str, str]:
    """Of those that are an instance's: guests that build templates are nobody's news."""
    if not guests:
        return {}
    rows = select(Guest.id, Guest.health).join(Instance, Instance.id == Guest.id).where(Guest.id.in_(guests))
    return dict(session.execute(rows).all())


def tell_changes(session: Session, before: Mapping[str, str]) -> None:
    """What is another health now than before."""
    if not before:
        return
    rows = select(Guest.id, Guest.health, Guest.message).where(Guest.id.in_(before), Guest.health.in_(TOLD))
    for guest, health, message in session.execute(rows.order_by(Guest.id)).all():
        if health != before[guest]:
            told = {"health": health, "was": before[guest], "message": message}
            events.tell(session, "dbaas.instance_health", subject=guest, **told)


def look(session: Session, seconds: float) -> None:
    """Tell of guests that have not been heard of for so long, and of those that are heard of again."""
    now = clock.now()
    # Who was heard of in the future was heard of before the clock was set back.
    quiet = or_(Guest.seen_at < now - seconds, Guest.seen_at > now + seconds)
    _mark(session, quiet, lost=True)
    _mark(session, ~quiet, lost=False)


def _mark(session: Session, which: ColumnElement[bool], *, lost: bool) -> None:
    """Each is told by the conductor that marks it, of however many."""
    living = Instance.deleted.is_(False) & Guest.lost.is_not(lost) & which
    for guest in session.scalars(select(Guest.id).join(Instance, Instance.id == Guest.id).where(living)).all():
        mine = update(Guest).where(Guest.id == guest, Guest.lost.is_not(lost)).values(lost=lost)
        if session.execute(mine).rowcount:  # type: ignore[attr-defined] # what an UPDATE gives
            events.tell(session, "dbaas.guest_lost" if lost else "dbaas.guest_returned", subject=guest)
