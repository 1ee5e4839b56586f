"""Look after what exists, every few seconds: servers that died are brought back, what nobody owns is taken away."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select

from argosy import clock, errors
from argosy.db.session import Database
from argosy.db.tables import Guest, Instance
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.providers.base import State
from argosy.workflows import servers
from argosy.workflows.revive_server import revive_server
from argosy.workflows.world import World

watch: Workflow[World] = Workflow("watch")
sweep: Workflow[World] = Workflow("sweep")

AT_ONCE = 100
"""Guests looked at in one turn: the rest comes in the next."""


@watch.step()
def revive(ctx: Context[World]) -> Outcome:
    """Silent guests whose server is not running get it back."""
    for name in _silent(ctx):
        if ctx.world.provider.compute.look(name).state is not State.ACTIVE:
            _enqueue(ctx.database, name)
    return None


def _silent(ctx: Context[World]) -> Sequence[str]:
    now, patience = clock.now(), 3 * ctx.world.settings.conductor.heartbeat_seconds
    settled = Instance.deleted.is_(False) & Instance.task.in_(servers.IDLE)
    # What was seen in the future was seen before the clock was set back.
    elsewhen = or_(Guest.seen_at.is_(None), Guest.seen_at < now - patience, Guest.seen_at > now + patience)
    silent = or_(Guest.connected.is_(False), elsewhen)
    query = select(Instance.id).join(Guest, Guest.id == Instance.id).where(settled, silent)
    with ctx.database.read() as session:
        return session.scalars(query.order_by(Guest.seen_at).limit(AT_ONCE)).all()


def _enqueue(database: Database, name: str) -> None:
    try:
        with database.write() as session:
            queue.enqueue(session, revive_server, name)
    except errors.Busy:
        return  # something else is being done to it, and will see for itself


@sweep.step(minutes=10)
def take_away(ctx: Context[World]) -> Outcome:
    """What the provider holds under our names and no row knows: the rest of an operation that an operator broke off."""
    provider = ctx.world.provider
    held = {*provider.compute.owned(), *provider.networks.owned(), *provider.volumes.owned()}
    for name in sorted(held - _known(ctx.database)):
        provider.compute.delete(name)
        provider.networks.delete(name)
        provider.volumes.delete(name)
    return None


def _known(database: Database) -> set[str]:
    """Looked up after the provider was asked: what came into being meanwhile has its row already."""
    with database.read() as session:
        instances = session.scalars(select(Instance.id).where(Instance.deleted.is_(False)))
        return {*instances, *session.scalars(select(Guest.id))}
