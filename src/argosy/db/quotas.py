"""What a project may hold and holds. Reserved in the transaction that makes the thing, so it cannot leak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Insert, case, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Quota, QuotaUse
from argosy.settings import Settings

UNLIMITED = -1
RESOURCES = ("instances", "backups", "volumes", "ram")
"""counts, but GiB for volumes and MiB for ram"""


@dataclass(frozen=True)
class Allowance:
    resource: str
    limit: int
    in_use: int


def reserve(session: Session, settings: Settings, project: str, **amounts: int) -> None:
    """Take the amounts (`instances=1, volumes=5, ram=512`), all or none. Raises OverQuota naming what is short."""
    limits = _limits(session, settings, project)
    short = [
        resource
        for resource, amount in sorted(amounts.items())
        if not _take(session, project, resource, amount, limits[resource])
    ]
    if short:
        raise errors.OverQuota(f"Quota exceeded for resources: {short}.")


def release(session: Session, project: str, **amounts: int) -> None:
    """Give the amounts back; what is held never falls below zero."""
    for resource, amount in sorted(amounts.items()):
        left = case((QuotaUse.used > amount, QuotaUse.used - amount), else_=0)
        session.execute(update(QuotaUse).where(*_of(project, resource)).values(used=left))


def allow(session: Session, project: str, limits: Mapping[str, int]) -> None:
    """Give the project limits of its own; what it holds already stays, also above them."""
    for resource, limit in sorted(limits.items()):
        session.merge(Quota(project_id=project, resource=resource, hard_limit=limit))


def report(session: Session, settings: Settings, project: str) -> list[Allowance]:
    """Every resource, in Trove's order."""
    limits = _limits(session, settings, project)
    rows = select(QuotaUse.resource, QuotaUse.used).where(QuotaUse.project_id == project)
    used = dict(session.execute(rows).all())
    return [Allowance(resource, limits[resource], used.get(resource, 0)) for resource in RESOURCES]


def _limits(session: Session, settings: Settings, project: str) -> dict[str, int]:
    own = session.execute(select(Quota.resource, Quota.hard_limit).where(Quota.project_id == project))
    shipped = {resource: int(getattr(settings.limits, resource)) for resource in RESOURCES}
    return shipped | dict(own.all())


def _take(session: Session, project: str, resource: str, amount: int, limit: int) -> bool:
    """One conditional update: two requests at once cannot both have the last of it."""
    room = QuotaUse.used + amount <= limit if limit != UNLIMITED else QuotaUse.used >= 0
    taken = update(QuotaUse).where(*_of(project, resource), room).values(used=QuotaUse.used + amount)
    if _changed(session, taken):
        return True
    if session.get(QuotaUse, (project, resource)) is None:
        _begin(session, project, resource)
        return _changed(session, taken)
    return False


def _begin(session: Session, project: str, resource: str) -> None:
    """Another request of the same project may be first: its row serves both.

    MariaDB locks a row that is there already for whoever tries to insert it, and for all alike: two of them who both
    go on to change it would be a deadlock. With an update in the statement each waits for the other instead.
    """
    row = {"project_id": project, "resource": resource, "used": 0}
    statement: Insert
    if session.get_bind().dialect.name in ("mysql", "mariadb"):
        statement = mysql.insert(QuotaUse).values(row).on_duplicate_key_update(used=QuotaUse.used)
    elif session.get_bind().dialect.name == "postgresql":
        statement = postgresql.insert(QuotaUse).values(row).on_conflict_do_nothing()
    else:
        statement = sqlite.insert(QuotaUse).values(row).on_conflict_do_nothing()
    session.execute(statement)


def _changed(session: Session, statement: object) -> bool:
    options = {"synchronize_session": False}
    return bool(session.execute(statement, execution_options=options).rowcount)  # type: ignore[call-overload]


def _of(project: str, resource: str) -> tuple[ColumnElement[bool], ...]:
    return (QuotaUse.project_id == project, QuotaUse.resource == resource)
