"""Backups that are read from a copy of the volume: the engine stands still for the moment of the copy, and a helper
guest reads it then, beside the instance and not in it. With Trove's storage driver `cinder` the copy is the backup.
"""

from __future__ import annotations

from typing import Any

from argosy.db.tables import Backup, Guest
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome
from argosy.providers.base import Source
from argosy.workflows import offers, snapshots, throwaway
from argosy.workflows.throwaway import Throwaway
from argosy.workflows.world import World

CINDER = "cinder"
LOCATION = "cinder://"
"""Before the name of a snapshot that is a backup."""


def read(backup: Backup, ctx: Context[World]) -> bool:
    """Is it read from a copy?"""
    with ctx.database.read() as session:
        engine = offers.get(session, backup.version_id).engine
    return any(each.offline for each in engine.strategies if each.name == backup.strategy)


def stays(backup: Backup) -> bool:
    """The copy is all that there is of it, and lies where the volume does: it does not outlive the disk."""
    return backup.storage_driver == CINDER


def take(ctx: Context[World]) -> Outcome:
    """The step that takes the copy. From its end on the instance is nobody's concern here: others may work on it."""
    backup = _backup(ctx)
    if not read(backup, ctx):
        return None
    outcome = snapshots.take(ctx, backup.instance_id)
    if outcome is None:
        ctx.record(lambda session: queue.let_go(session, ctx.run, backup.instance_id))
    return outcome


def place(ctx: Context[World]) -> Outcome:
    """The step that makes room for the helper, over a copy of the copy."""
    backup = _backup(ctx)
    return throwaway.place(ctx, helper(ctx, backup)) if _helped(ctx, backup) else None


def server(ctx: Context[World]) -> Outcome:
    backup = _backup(ctx)
    return throwaway.server(ctx, helper(ctx, backup)) if _helped(ctx, backup) else None


def ask(ctx: Context[World], backup: Backup, order: dict[str, Any]) -> dict[str, Any] | None:
    """What the helper says of its reading, with what the engine said of the moment of the copy."""
    if stays(backup):
        return _alone(ctx, backup)
    answer = throwaway.ask(ctx, helper(ctx, backup), "backup", **order)
    return None if answer is None else {**answer, **ctx.memory["held"]}


def put_away(ctx: Context[World], *, keep: bool) -> Outcome:
    """Nothing is left of helper and copies, but for the copy that is the backup (`keep`)."""
    throwaway.take_away(ctx, _helper_name(ctx))
    if not keep:
        snapshots.let_go_of_all(ctx)
    return None


def helper(ctx: Context[World], backup: Backup) -> Throwaway:
    source = Source(snapshot=ctx.memory["snapshot"])
    return Throwaway(_helper_name(ctx), backup.version_id, backup.gigabytes, source)


def _helper_name(ctx: Context[World]) -> str:
    return throwaway.name(ctx, "helper")


def _helped(ctx: Context[World], backup: Backup) -> bool:
    return read(backup, ctx) and not stays(backup)


def _alone(ctx: Context[World], backup: Backup) -> dict[str, Any]:
    with ctx.database.read() as session:
        guest = session.get(Guest, backup.instance_id)
    return {"raw_bytes": guest.volume_used if guest else 0, **ctx.memory["held"]}


def _backup(ctx: Context[World]) -> Backup:
    with ctx.database.read() as session:
        return session.get_one(Backup, ctx.subject)
