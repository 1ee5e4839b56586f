"""Copies of an instance's volume: taken while its engine is held still, or while no server runs; let go of; swept.

Each has a row before it is there. It stays for as long as its run lasts, or a backup or an undo is kept in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Backup, Run, Snapshot, Undo
from argosy.durable.workflow import Context, Outcome, Wait
from argosy.guest import mailbox
from argosy.workflows import servers
from argosy.workflows.world import World

TURNS = 5
"""How often a copy is taken again whose engine was not held throughout."""
HOLD_SECONDS = 3.0
"""That the engine is held still for at most in the first turn, in the second twice as long, and so on."""


def name(ctx: Context[World], turn: int = 1) -> str:
    """Of what a run takes in this turn: no other's, so that what a lost worker took late passes for nothing else."""
    return str(uuid.uuid5(uuid.UUID(ctx.run.id), f"snapshot {turn}"))


def expect(session: Session, snapshot: str, instance_id: str, run_id: str) -> None:
    """Before it is taken. May be repeated."""
    if session.get(Snapshot, snapshot) is None:
        session.add(Snapshot(id=snapshot, instance_id=instance_id, run_id=run_id, created=clock.now()))
        session.flush()


def take(ctx: Context[World], instance_id: str) -> Outcome:
    """A copy of a running instance's volume, whose engine is held still for that moment: its name is then in
    `ctx.memory["snapshot"]`, and what was said of the moment in `ctx.memory["held"]`: position, canaries, moment.

    A step's whole answer. Raises Rejected or GuestFailed, as the guest says; GuestFailed when it could never be held
    for long enough.
    """
    turn = ctx.memory.setdefault("turn", 1)
    if turn > TURNS:
        raise errors.GuestFailed(f"the database server could not be held still for a snapshot, tried {TURNS} times")
    snapshot = name(ctx, turn)
    if ctx.memory.get("expected") != turn:
        return _begin(ctx, instance_id, snapshot, turn)
    if ctx.memory.get("begun") != turn and not _prepared(ctx, instance_id, snapshot, turn):
        servers.check(ctx, instance_id=instance_id)
        return Wait(5, "the database server writes down what it has in memory")
    held = mailbox.ask(ctx, instance_id, "quiesce", turn=str(turn), seconds=_seconds(turn), hold=snapshot)
    if held is None:
        servers.check(ctx, instance_id=instance_id)
        return Wait(5, "the database server is asked to hold still")
    return _copy(ctx, instance_id, snapshot, held)


def _prepared(ctx: Context[World], instance_id: str, snapshot: str, turn: int) -> bool:
    """All that can be done ahead of the moment, in this order: what is written after the snapshot was begun lies apart
    from then on. False: the server is at it.
    """
    volumes = ctx.world.provider.volumes
    if "gathered" not in ctx.memory:
        volumes.gather(instance_id)
        ctx.memory["gathered"] = True
    if not _flushed(ctx, instance_id, turn):
        return False
    volumes.begin_snapshot(instance_id, snapshot)
    ctx.memory["begun"] = turn
    return True


def _flushed(ctx: Context[World], instance_id: str, turn: int) -> bool:
    try:
        return mailbox.ask(ctx, instance_id, "flush", turn=str(turn)) is not None
    except errors.Rejected:  # by an agent that is older, and does not know how to
        return True


def _seconds(turn: int) -> float:
    return HOLD_SECONDS * turn


def _begin(ctx: Context[World], instance_id: str, snapshot: str, turn: int) -> Outcome:
    ctx.record(lambda session: expect(session, snapshot, instance_id, ctx.run.id))
    ctx.memory["expected"] = turn
    return Wait(0, "a snapshot is going to be taken")


def _copy(ctx: Context[World], instance_id: str, snapshot: str, held: Mapping[str, Any]) -> Outcome:
    """The engine stands still until it is released, or its patience ends: then the copy is worth nothing."""
    turn = ctx.memory["turn"]
    ctx.world.provider.volumes.snapshot(instance_id, snapshot)
    moment = clock.now()
    try:
        released = mailbox.ask(ctx, instance_id, "release", turn=str(turn), hold=snapshot)
    except errors.Rejected:
        let_go(ctx, snapshot)
        ctx.memory["turn"] = turn + 1
        return Wait(turn, "the database server did not hold still for long enough: once more")
    if released is None:
        servers.check(ctx, instance_id=instance_id)
        return Wait(5, "the database server goes on")
    ctx.memory["snapshot"] = snapshot
    ctx.memory["held"] = {"moment": moment, **held, "canaries": released.get("canaries") or {}}
    return None


def of(ctx: Context[World], backup: Backup) -> str:
    """Name of the copy that the provider still has of a backup; empty: none. Raises Broken for one that was all there
    is of it.
    """
    if not backup.snapshot or backup.snapshot in ctx.world.provider.volumes.snapshots():
        return backup.snapshot
    if backup.manifest:
        return ""
    raise errors.Broken(f"backup {backup.id} was snapshot {backup.snapshot}, which the pool does not have any more")


def let_go(ctx: Context[World], snapshot: str) -> None:
    """Nothing of it is left at the end of this step, whether it was ever there or not."""
    ctx.world.provider.volumes.delete_snapshot(snapshot)
    ctx.record(lambda session: forget(session, snapshot))


def forget(session: Session, snapshot: str) -> None:
    session.execute(delete(Snapshot).where(Snapshot.id == snapshot))


def let_go_of_all(ctx: Context[World]) -> None:
    """Whatever this run has taken."""
    _let_go_where(ctx, Snapshot.run_id == ctx.run.id)


def let_go_with(ctx: Context[World], instance_id: str) -> None:
    """Whatever was taken of an instance that is gone, but its backups."""
    backups = select(Backup.snapshot).where(Backup.snapshot != "")
    _let_go_where(ctx, (Snapshot.instance_id == instance_id) & Snapshot.id.not_in(backups))


def _let_go_where(ctx: Context[World], which: ColumnElement[bool]) -> None:
    with ctx.database.read() as session:
        taken = session.scalars(select(Snapshot.id).where(which)).all()
    for snapshot in taken:
        let_go(ctx, snapshot)


def known(session: Session) -> Sequence[str]:
    """Names of all that should be there."""
    kept = select(Backup.snapshot).where(Backup.snapshot != "").union(select(Undo.id), select(Snapshot.id))
    return session.scalars(kept).all()


def leaked(session: Session) -> Sequence[str]:
    """Those that no run works with any more, and nothing is kept in."""
    active = select(Run.id).where(Run.state == "active")
    kept = select(Backup.snapshot).where(Backup.snapshot != "").union(select(Undo.id))
    return session.scalars(select(Snapshot.id).where(Snapshot.run_id.not_in(active), Snapshot.id.not_in(kept))).all()
