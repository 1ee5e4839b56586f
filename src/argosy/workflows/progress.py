"""Whether long work in a guest goes on."""

from __future__ import annotations

from sqlalchemy import Select, func, select

from argosy import clock, errors
from argosy.db.tables import Command
from argosy.durable.workflow import Context
from argosy.workflows.world import World

SEEN = "progress"
"""key of a run's memory: how far it was, and since when"""


def require(ctx: Context[World]) -> None:
    """Whoever waits for long work asks this each time. Raises GuestFailed when none was done for too long."""
    with ctx.database.read() as session:
        done = session.scalar(_done(ctx.run.id)) or 0
    now = clock.now()
    last, since = ctx.memory.get(SEEN, (-1, now))
    if done != last:
        ctx.memory[SEEN] = (done, now)
    elif now > since + 60 * ctx.world.settings.backups.stalled_minutes:
        raise errors.GuestFailed(f"the guest has got no further than {done} bytes for too long")


def _done(run_id: str) -> Select[int]:
    return select(func.sum(Command.done)).where(Command.run_id == run_id, Command.answered.is_(False))
