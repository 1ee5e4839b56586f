"""Bring one database, or tables of it, from an instance into another that runs: out of one that a moment was restored
into, back into the one that lost them. Nothing that is there is replaced.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Instance, Run
from argosy.durable import locks, queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.engines.base import Capability
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.workflows import change_accounts, new_backups, offers, progress, servers
from argosy.workflows.world import World

copy_excerpt: Workflow[World] = Workflow("copy_excerpt", cancellable=True, event="database_copy")

LONGEST_MINUTES = 24 * 60


@dataclass(frozen=True)
class Wanted:
    database: str
    tables: Sequence[str] = ()
    """empty: all of the database"""
    into: str = ""
    """the database that it goes into; empty: of the same name"""


def admit(session: Session, caller: Caller, instance: Instance, origin: Instance, wanted: Wanted) -> None:
    """Raises BadRequest, Busy, NotSupported."""
    mine, theirs = offers.get(session, instance.version_id), offers.get(session, origin.version_id)
    mine.engine.require(Capability.EXCERPTS)
    if mine.engine is not theirs.engine or instance.id == origin.id:
        raise errors.BadRequest(f"a database of {mine.engine.title} can come from another instance of the same only")
    for each in (instance, origin):
        servers.require_running(each)
    run = queue.enqueue(
        session,
        copy_excerpt,
        instance.id,
        patient=True,
        project_id=caller.project_id,
        origin=origin.id,
        place=f"{new_backups.CONTAINER}/{instance.project_id}/excerpts/{secrets.token_hex(8)}/",
        key=secrets.token_hex(32),
        attempt=secrets.token_hex(8),
        database=wanted.database,
        tables=list(wanted.tables),
        into=wanted.into or wanted.database,
        told={"dbname": wanted.database, "from": origin.id},
    )
    if locks.take(session, run.id, {change_accounts.lane(instance.id)}, {instance.id, origin.id}):
        raise errors.Busy(f"{instance.id} or {origin.id} is busy with another operation: wait until it has ended")


@copy_excerpt.step(minutes=LONGEST_MINUTES, detour="clear")
def take_out(ctx: Context[World]) -> Outcome:
    told = {name: ctx.memory[name] for name in ("place", "key", "attempt", "database", "tables")}
    answer = mailbox.ask(ctx, ctx.memory["origin"], "take_out", backup=ctx.run.id, **told)
    if answer is None:
        progress.require(ctx)
        return servers.await_guest(ctx, "the database is being read", guest=ctx.memory["origin"])
    ctx.memory["taken"] = answer
    return None


@copy_excerpt.step(minutes=LONGEST_MINUTES, detour="clear")
def put_in(ctx: Context[World]) -> Outcome:
    ctx.memory.pop(progress.SEEN, None)
    told = {"chain": [_layer(ctx)], "excerpt": ctx.memory["taken"]["excerpt"], "into": ctx.memory["into"]}
    answer = mailbox.ask(ctx, ctx.subject, "put_in", **told)
    return servers.await_guest(ctx, "the database is being written") if answer is None else None


def _layer(ctx: Context[World]) -> dict[str, Any]:
    taken = ctx.memory["taken"]
    told = {name: taken[name] for name in ("attempt", "raw_bytes", "parts_sha256")}
    return {**told, "backup": ctx.run.id, "place": ctx.memory["place"], "key": ctx.memory["key"]}


@copy_excerpt.step(minutes=60)
def tidy_up(ctx: Context[World]) -> Outcome:
    """What was on the way is of no use any more."""
    ctx.world.store.delete_prefix(ctx.memory["place"])
    return None


@copy_excerpt.detour(minutes=60)
def clear(ctx: Context[World]) -> Outcome:
    ctx.record(lambda session: mailbox.cancel(session, ctx.run.id))
    ctx.world.store.delete_prefix(ctx.memory["place"])
    return None


@copy_excerpt.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, fault)
