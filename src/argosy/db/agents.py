"""Agents that run other code than what is installed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from argosy.db.tables import Guest, Instance


def outdated(session: Session, release: str) -> Sequence[str]:
    """Guests that are connected and said that their agent is of another release."""
    return session.scalars(_of_another(release).order_by(Guest.id)).all()


def count_outdated(session: Session, release: str) -> int:
    return session.scalar(select(func.count()).select_from(_of_another(release).subquery())) or 0


def _of_another(release: str) -> Select[str]:
    there = Guest.connected & (Guest.agent != release) & Instance.deleted.is_(False)
    return select(Guest.id).join(Instance, Instance.id == Guest.id).where(there)
