"""What guests became, told as events in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.tables import Guest, Instance
from argosy.model.guest import TAKEN_BACK, Health
from argosy.workflows import overrides, servers

TOLD = (Health.HEALTHY, Health.BLOCKED, Health.FAILED, Health.DOWN, Health.STOPPED)
"""Healths that are news; what a server passes through on its way to one of them is none."""


@dataclass(frozen=True)
class Said:
    """What a guest says of its server."""

    health: str
    message: str


def said(session: Session, guests: Sequence[str]) -> Mapping[str, Said]:
    """Of those that are an instance's: guests that build templates are nobody's news."""
    if not guests:
        return {}
    rows = select(Guest.id, Guest.health, Guest.message).join(Instance, Instance.id == Guest.id)
    found = session.execute(rows.where(Guest.id.in_(guests)).order_by(Guest.id)).all()
    return {guest: Said(health, message) for guest, health, message in found}


def tell_changes(session: Session, before: Mapping[str, Said]) -> None:
    """What is another health now than before, and settings that were taken back since."""
    for guest, now in said(session, list(before)).items():
        was = before[guest]
        if now.health != was.health and now.health in TOLD:
            told = {"health": now.health, "was": was.health, "message": now.message}
            events.tell(session, "dbaas.instance_health", subject=guest, **told)
        if TAKEN_BACK in now.message and TAKEN_BACK not in was.message:
            _note(session, session.get_one(Instance, guest), now.message)


def _note(session: Session, instance: Instance, message: str) -> None:
    """A server came back without settings that it had never started with. An operation under way tells that itself."""
    if instance.task in servers.IDLE and not (instance.fault and instance.fault in message):
        overrides.note(session, instance.id, message)


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
