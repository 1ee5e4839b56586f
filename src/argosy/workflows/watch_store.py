"""Look whether the object store can be used, and how full it is: backups and logs must have a place to go to."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db import events
from argosy.db.tables import Fact
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model import usage
from argosy.model.usage import Level
from argosy.settings import Alarms
from argosy.stores import probe
from argosy.workflows.world import World

watch_store: Workflow[World] = Workflow("watch_store")

STORE = "store"
"""Name of the fact: {level, percent, message}; a store that cannot be used is critical."""


@watch_store.step()
def look(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        before = _told(session)
    told = _looked(ctx.world, Level(before.get("level", Level.FINE)))

    def write(session: Session) -> None:
        was = _told(session).get("level", Level.FINE)
        session.merge(Fact(name=STORE, value=told))
        if told["level"] != was:
            events.tell(session, "dbaas.store_health", subject="store", **told)

    ctx.record(write)
    return None


def _looked(world: World, before: Level) -> dict[str, Any]:
    try:
        probe.probe(world.store)
        return _judged(world.store.room(), before, world.settings.alarms)
    except errors.ArgosyError as error:
        return {"level": Level.CRITICAL, "percent": None, "message": error.message}


def _judged(room: tuple[int, int] | None, before: Level, alarms: Alarms) -> dict[str, Any]:
    """By the thresholds of the other place that everybody shares."""
    if room is None:
        return {"level": Level.FINE, "percent": None, "message": ""}
    percent = usage.percent(*room)
    level = usage.level(percent, before, alarms.pool_warning_percent, alarms.pool_critical_percent)
    return {"level": level, "percent": percent, "message": f"it is {percent:g} % full" if level != Level.FINE else ""}


def _told(session: Session) -> dict[str, Any]:
    fact = session.get(Fact, STORE)
    return dict(fact.value) if fact else {}
