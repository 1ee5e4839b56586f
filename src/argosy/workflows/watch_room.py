"""Look how full the pool and the volumes are, and tell it long before nothing can be written any more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from argosy.db import events
from argosy.db.tables import Fact, Guest, Instance
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model import usage
from argosy.model.usage import Level
from argosy.providers.base import Usage
from argosy.settings import Alarms
from argosy.workflows.world import World

watch_room: Workflow[World] = Workflow("watch_room")

POOL = "room"
"""Name of the fact: how full each place is that volumes share, as {place: {used, total, percent, level}}."""


@watch_room.step()
def pool(ctx: Context[World]) -> Outcome:
    rooms, alarms = ctx.world.provider.rooms(), ctx.world.settings.alarms

    def write(session: Session) -> None:
        fact = session.get(Fact, POOL)
        before = fact.value if fact else {}
        told = {place: _judged(each, before.get(place, {}), alarms) for place, each in rooms.items()}
        session.merge(Fact(name=POOL, value=told))
        for place, seen in told.items():
            if seen["level"] != before.get(place, {}).get("level", Level.FINE):
                events.tell(session, "dbaas.pool_usage", subject=place, percent=seen["percent"], level=seen["level"])

    ctx.record(write)
    return None


def _judged(room: Usage, before: dict[str, str], alarms: Alarms) -> dict[str, object]:
    percent = usage.percent(room.used, room.total)
    was = Level(before.get("level", Level.FINE))
    level = usage.level(percent, was, alarms.pool_warning_percent, alarms.pool_critical_percent)
    return {"used": room.used, "total": room.total, "percent": percent, "level": level}


@watch_room.step()
def volumes(ctx: Context[World]) -> Outcome:
    alarms = ctx.world.settings.alarms

    def write(session: Session) -> None:
        for guest, was, used, total in session.execute(_nearly_full(alarms)).all():
            percent, before = usage.percent(used, total), Level(was)
            level = usage.level(percent, before, alarms.volume_warning_percent, alarms.volume_critical_percent)
            if level is not before:
                session.execute(update(Guest).where(Guest.id == guest).values(volume_level=level))
                events.tell(session, "dbaas.volume_usage", subject=guest, percent=percent, level=level)

    ctx.record(write)
    return None


def _nearly_full(alarms: Alarms) -> Any:
    """Those that may have another level than before."""
    measured = Instance.deleted.is_(False) & (Guest.volume_total > 0)
    full = Guest.volume_used * 100 >= Guest.volume_total * alarms.volume_warning_percent
    columns = select(Guest.id, Guest.volume_level, Guest.volume_used, Guest.volume_total)
    mine = columns.join(Instance, Instance.id == Guest.id).where(measured, or_(full, Guest.volume_level != Level.FINE))
    return mine.order_by(Guest.id)
