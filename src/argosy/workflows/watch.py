"""Look after what exists, every few seconds: servers that died are brought back, what is left of deleted ones goes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Endpoint, Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import enrolment
from argosy.providers.base import State
from argosy.workflows import ports, servers, snapshots, throwaway
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
        _bring_back(ctx.database, name)
    return None


def _bring_back(database: Database, name: str) -> None:
    """What cannot be brought back is tried again, but not at every turn, and is told once in each outage."""
    newest = select(Run.state, Run.ended).where(Run.subject == name, Run.workflow == revive_server.name)
    with database.read() as session:
        last = session.execute(newest.order_by(Run.created.desc()).limit(1)).one_or_none()
    failed = last.ended if last and last.state == "failed" else None
    if failed is None or abs(clock.now() - failed) >= AGAIN_SECONDS:
        same = failed is not None and not _heard_since(database, name, failed)
        servers.look_after(database, revive_server, name, **{queue.REPEATED: same})


def _heard_since(database: Database, name: str, moment: float) -> bool:
    """Whether its guest is silent, but was not all the time since then."""
    with database.read() as session:
        guest = session.get(Guest, name)
    return guest is not None and not guest.connected and (guest.seen_at or 0.0) > moment


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
def throw_away(ctx: Context[World]) -> Outcome:
    """Guests without an instance whose run has ended and could not take them away."""
    with ctx.database.read() as session:
        names = throwaway.abandoned(session)
    for name in names:
        throwaway.remove(ctx.world.provider, name)
        with ctx.database.write() as session:
            enrolment.forget(session, name)
    return None


@sweep.step(minutes=10)
def let_go(ctx: Context[World]) -> Outcome:
    """Copies of volumes that nothing is kept in, and whose run has ended and could not let go of them."""
    with ctx.database.read() as session:
        names = snapshots.leaked(session)
    for name in names:
        ctx.world.provider.volumes.delete_snapshot(name)
        with ctx.database.write() as session:
            snapshots.forget(session, name)
    return None


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
    unknown = sorted((held - rows.keys()) | _strange(ctx))
    if unknown:
        log.warning("the provider holds what the control database does not know", extra={"names": unknown})
    return None


def _strange(ctx: Context[World]) -> set[str]:
    """Snapshots that no row knows."""
    held = {*ctx.world.provider.volumes.snapshots()}
    with ctx.database.read() as session:
        return held - {*snapshots.known(session)}


def _rows(database: Database, names: set[str]) -> Mapping[str, bool]:
    """Those that the control database knows: was it deleted?"""
    with database.read() as session:
        builders = session.scalars(select(Guest.id).where(Guest.id.in_(names))).all()
        gone = Instance.deleted & Instance.quarantined_until.is_(None)
        instances = session.execute(select(Instance.id, gone).where(Instance.id.in_(names))).all()
    return {**dict.fromkeys(builders, False), **dict(instances)}
