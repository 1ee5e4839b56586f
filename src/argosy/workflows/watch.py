"""Look after what exists, every few seconds: servers that died are brought back, what is left of deleted ones goes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import func, or_, select

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Endpoint, Guest, Instance, Run
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.providers.base import State
from argosy.workflows import ports, servers
from argosy.workflows.revive_server import revive_server
from argosy.workflows.world import World

log = logging.getLogger(__name__)

watch: Workflow[World] = Workflow("watch")
sweep: Workflow[World] = Workflow("sweep")

AGAIN_SECONDS = 60
AT_ONCE = 100
"""Guests looked at in one turn: the rest comes in the next."""


@watch.step()
def revive(ctx: Context[World]) -> Outcome:
    """Silent guests whose server is not running get it back, and public ones that nobody gets through to."""
    provider = ctx.world.provider
    gone = [name for name in _silent(ctx) if provider.compute.look(name).state is not State.ACTIVE]
    shut = [name for name in _public(ctx) if provider.networks.look(name).state is not State.ACTIVE]
    for name in {*gone, *shut}:
        if not _failed_of_late(ctx.database, name):
            servers.look_after(ctx.database, revive_server, name)
    return None


def _failed_of_late(database: Database, name: str) -> bool:
    """What cannot be brought back is tried again, but not at every turn."""
    failures = (Run.subject == name, Run.workflow == revive_server.name, Run.state == "failed")
    with database.read() as session:
        last = session.scalar(select(func.max(Run.ended)).where(*failures))
    return last is not None and abs(clock.now() - last) < AGAIN_SECONDS


def _silent(ctx: Context[World]) -> Sequence[str]:
    now, patience = clock.now(), 3 * ctx.world.settings.conductor.heartbeat_seconds
    settled = Instance.deleted.is_(False) & Instance.task.in_(servers.IDLE)
    # What was seen in the future was seen before the clock was set back.
    elsewhen = or_(Guest.seen_at.is_(None), Guest.seen_at < now - patience, Guest.seen_at > now + patience)
    silent = or_(Guest.connected.is_(False), elsewhen)
    query = select(Instance.id).join(Guest, Guest.id == Instance.id).where(settled, silent)
    with ctx.database.read() as session:
        return session.scalars(query.order_by(Guest.seen_at).limit(AT_ONCE)).all()


def _public(ctx: Context[World]) -> Sequence[str]:
    settled = Instance.deleted.is_(False) & Instance.task.in_(servers.IDLE)
    query = select(Instance.id).join(Endpoint, Endpoint.instance_id == Instance.id)
    with ctx.database.read() as session:
        return session.scalars(query.where(settled, Endpoint.role == ports.PUBLIC)).all()


@sweep.step(minutes=10)
def take_away(ctx: Context[World]) -> Outcome:
    """What the provider still holds of deleted instances: the rest of an operation that an operator broke off.

    What no row knows at all stays, and is told: a control database that was lost or put back costs nobody's data.
    """
    provider = ctx.world.provider
    held = {*provider.compute.owned(), *provider.networks.owned(), *provider.volumes.owned()}
    rows = _rows(ctx.database, held)
    for name in sorted(name for name, deleted in rows.items() if deleted):
        provider.compute.delete(name)
        provider.networks.delete(name)
        provider.volumes.delete(name)
    unknown = sorted(held - rows.keys())
    if unknown:
        log.warning("the provider holds what the control database does not know", extra={"names": unknown})
    return None


def _rows(database: Database, names: set[str]) -> Mapping[str, bool]:
    """Those that the control database knows: was it deleted?"""
    with database.read() as session:
        builders = session.scalars(select(Guest.id).where(Guest.id.in_(names))).all()
        instances = session.execute(select(Instance.id, Instance.deleted).where(Instance.id.in_(names))).all()
    return {**dict.fromkeys(builders, False), **dict(instances)}
