"""The deployment keeps backups of its own state, as often as the settings say."""

from __future__ import annotations

from argosy import clock
from argosy.db import self_backup as saving
from argosy.db.tables import Fact
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.workflows import servers
from argosy.workflows.world import World

self_backup: Workflow[World] = Workflow("self_backup", event="self_backup")
self_backups: Workflow[World] = Workflow("self_backups")

HOUR = 3600
FACT = saving.FACT


@self_backups.step()
def begin(ctx: Context[World]) -> Outcome:
    """When it is time; a failed one is tried again with the next look."""
    hours = ctx.world.settings.self_backup.every_hours
    with ctx.database.read() as session:
        last = session.get(Fact, FACT)
    if hours > 0 and (last is None or not 0 <= clock.now() - last.value["at"] < hours * HOUR):
        servers.look_after(ctx.database, self_backup, "self_backup")
    return None


@self_backup.step(minutes=60)
def keep(ctx: Context[World]) -> Outcome:
    settings, now = ctx.world.settings, clock.now()
    file = saving.keep(settings, ctx.database, now=now)
    made = {"at": now, "file": file.name, "bytes": file.stat().st_size}
    ctx.record(lambda session: session.merge(Fact(name=FACT, value=made)))
    return None
