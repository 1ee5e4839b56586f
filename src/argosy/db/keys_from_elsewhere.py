"""What opens backups that other deployments made: of each master key only what wraps keys of projects."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import KeyFromElsewhere
from argosy.stores.keys import Wrapping


def keep(session: Session, by: Wrapping) -> bool:
    """Whether it was not known yet."""
    if session.get(KeyFromElsewhere, by.master) is not None:
        return False
    session.add(KeyFromElsewhere(master=by.master, key=by.key.hex(), created=clock.now()))
    return True


def wrappings(session: Session) -> list[Wrapping]:
    """All that this deployment was given, the latest first. Raises BadKey."""
    known = session.scalars(select(KeyFromElsewhere).order_by(KeyFromElsewhere.created.desc()))
    return [Wrapping(each.master, bytes.fromhex(each.key)) for each in known]
