"""Keys that a project's backups are sealed by: made when the first one is needed, rotated when somebody wants to.

An older key is never forgotten: it opens what was sealed while it was the newest.
"""

from __future__ import annotations

import os

from sqlalchemy import Insert, select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import sealed
from argosy.db.tables import ProjectKey as Row
from argosy.stores import keys
from argosy.stores.keys import ProjectKey


def newest(session: Session, project: str) -> ProjectKey:
    """What seals the next backup; made on first use."""
    row = _newest(session, project)
    if row is None:
        _insert(session, project, 1)
        row = _newest(session, project)
    if row is None:
        raise errors.Unavailable(f"the key of project {project} is being made")
    return _key(row)


def get(session: Session, project: str, number: int) -> ProjectKey:
    """Raises LostKey."""
    row = session.get(Row, (project, number))
    if row is None:
        raise keys.LostKey(f"project {project} has no key {number}")
    return _key(row)


def rotate(session: Session, project: str) -> int:
    """Number of the key that seals the project's backups from now on. What older ones sealed stays as it is."""
    last = newest(session, project).number
    _insert(session, project, last + 1)
    return last + 1


def projects(session: Session) -> list[str]:
    """Those that have keys."""
    return list(session.scalars(select(Row.project_id).distinct().order_by(Row.project_id)))


def wrapping() -> keys.Wrapping:
    """By the master key that is in use."""
    return keys.wrapping(sealed.derive)


def _newest(session: Session, project: str) -> Row | None:
    mine = select(Row).where(Row.project_id == project).order_by(Row.number.desc()).limit(1)
    return session.scalars(mine).first()


def _insert(session: Session, project: str, number: int) -> None:
    """Two who want the same number at once get one key: the first one's."""
    row = {"project_id": project, "number": number, "key": os.urandom(keys.KEY_BYTES).hex(), "created": clock.now()}
    statement: Insert
    if session.get_bind().dialect.name in ("mysql", "mariadb"):
        statement = mysql.insert(Row).values(row).on_duplicate_key_update(number=Row.number)
    elif session.get_bind().dialect.name == "postgresql":
        statement = postgresql.insert(Row).values(row).on_conflict_do_nothing()
    else:
        statement = sqlite.insert(Row).values(row).on_conflict_do_nothing()
    session.execute(statement)


def _key(row: Row) -> ProjectKey:
    return ProjectKey(row.project_id, row.number, bytes.fromhex(row.key))
