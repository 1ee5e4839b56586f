"""Agents that run other code than what is installed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.tables import Guest, Instance


def outdated(session: Session, release: str) -> Sequence[str]:
    """Guests that are connected and said that their agent is of another release."""
    there = Guest.connected & (Guest.agent != release) & Instance.deleted.is_(False)
    query = select(Guest.id).join(Instance, Instance.id == Guest.id).where(there).order_by(Guest.id)
    return session.scalars(query).all()
