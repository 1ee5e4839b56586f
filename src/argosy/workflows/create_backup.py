"""Take a backup of an instance: from the request to a manifest in the store that says that all of it is there.

The guest writes sealed parts under a name that only this attempt has; whatever becomes of it, the backup is complete
when the manifest is, and nothing of it is left in the store when it has failed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events, quotas
from argosy.db.tables import Backup, Command, Guest, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.backups import RUNNING, Manifest, State
from argosy.model.caller import Caller
from argosy.settings import Settings
from argosy.workflows import backup_copies, backup_rows, keeping, new_backups, progress, restoring, servers
from argosy.workflows.new_backups import NewBackup
from argosy.workflows.world import World

create_backup: Workflow[World] = Workflow("create_backup", cancellable=True, event="backup_create")

LONGEST_MINUTES = 7 * 24 * 60
PARTING = 60.0
"""Seconds that a guest has to let go of what nobody wants any more."""
GIGABYTE = 1 << 30
SMALLEST = 0.01
"""GB that a backup is told to have at least: clients take 0 for one that was never made."""
LOCATION = "store:///"
"""Before the key of a manifest: where a backup is, in the deployment's own store."""


def admit(session: Session, settings: Settings, caller: Caller, wanted: NewBackup) -> Backup:
    """Check the request and write it down. Raises NotFound, BadRequest, Conflict, Busy, OverQuota, NotSupported."""
    drawn, instance = new_backups.draw(session, settings, caller, wanted), wanted.instance
    backup = drawn.backup
    quotas.reserve(session, settings, instance.project_id, backups=1)
    session.add(backup)
    session.flush()
    standing_on = [each.id for each in backup_rows.chain(session, backup)[:-1]]
    queue.enqueue(
        session,
        create_backup,
        backup.id,
        also=[f"backup:{instance.id}"],
        shared=[instance.id, *standing_on],
        project_id=instance.project_id,
        attempt=secrets.token_hex(8),
        limits=_limits(settings, wanted),
        otherwise=drawn.otherwise,
        told=_facts(backup),
    )
    return backup


def _facts(backup: Backup) -> dict[str, Any]:
    """What the events of it carry."""
    return {
        "backup_id": backup.id,
        "instance_id": backup.instance_id,
        "name": backup.name,
        "parent_id": backup.parent_id,
        "strategy": backup.strategy,
    }


def _limits(settings: Settings, wanted: NewBackup) -> dict[str, int]:
    most, nice = wanted.bytes_per_second, wanted.nice
    return {
        "bytes_per_second": settings.backups.bytes_per_second if most is None else most,
        "nice": settings.backups.nice if nice is None else nice,
    }


def cancel(session: Session, backup: Backup) -> None:
    """Asked to stop, it ends as FAILED and leaves nothing. Raises Unprocessable when it is not being made."""
    if backup.state not in RUNNING:
        raise errors.Unprocessable(f"The backup {backup.id} is not being made: it is {backup.state}.")
    queue.cancel(session, backup.id)
    events.tell(session, "dbaas.backup_cancel", subject=backup.id, project_id=backup.project_id, **_facts(backup))


@create_backup.step(detour="give_up")
def look(ctx: Context[World]) -> Outcome:
    """Before anything is read: all that it builds on can be opened, or it would be worth nothing."""
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
        parent = session.get_one(Backup, backup.parent_id) if backup.parent_id else None
    with _or_everything(ctx):
        if parent is not None:
            restoring.opened(ctx.world.settings, ctx.database, parent)
    return None


@create_backup.step(minutes=15, detour="give_up")
def copy(ctx: Context[World]) -> Outcome:
    """Of the volume, for strategies that read that."""
    ctx.record(lambda session: _note(session, ctx.subject, state=State.BUILDING))
    return backup_copies.take(ctx)


@create_backup.step(detour="give_up")
def helper(ctx: Context[World]) -> Outcome:
    return backup_copies.place(ctx)


@create_backup.step(detour="give_up")
def helper_server(ctx: Context[World]) -> Outcome:
    return backup_copies.server(ctx)


@create_backup.step(minutes=LONGEST_MINUTES, detour="give_up")
def upload(ctx: Context[World]) -> Outcome:
    with _or_everything(ctx):
        return _await_written(ctx)
    return None


@create_backup.step(minutes=LONGEST_MINUTES, detour="give_up")
def anew(ctx: Context[World]) -> Outcome:
    """Everything, where the data have become another's since the backup was taken that we chose to build on."""
    return None if "taken" in ctx.memory else _await_written(ctx)


@contextmanager
def _or_everything(ctx: Context[World]) -> Iterator[None]:
    """What does not serve to build on fails for whoever named it; where we chose it, everything is taken, once."""
    otherwise = ctx.memory.get("otherwise")
    try:
        yield
    except errors.Rejected:
        if not otherwise:
            raise
        ctx.memory["otherwise"] = ""
        ctx.record(lambda session: _note(session, ctx.subject, parent_id=None, strategy=otherwise))


def _await_written(ctx: Context[World]) -> Outcome:
    answer = _written(ctx)
    if answer is None:
        progress.require(ctx)
        return _wait(ctx)
    ctx.memory["taken"] = answer
    ctx.record(lambda session: _note(session, ctx.subject, state=State.SAVING))
    return None


@create_backup.step(minutes=60, detour="give_up")
def put_away(ctx: Context[World]) -> Outcome:
    """What was only made to read from: the backup can be used the moment that it is complete."""
    return backup_copies.put_away(ctx, keep=_stays(ctx))


@create_backup.step(minutes=60, detour="give_up")
def manifest(ctx: Context[World]) -> Outcome:
    """All that the guest says to have written is looked for before anybody is told that it is there."""
    answer = ctx.memory["taken"]
    if _stays(ctx):
        ctx.record(lambda session: _complete_copy(session, ctx.subject, ctx.memory["snapshot"], answer))
        return None
    written = keeping.keep(ctx, keeping.taken(ctx.memory["attempt"], answer))
    ctx.record(lambda session: _complete(session, ctx.subject, written, answer.get("moment")))
    return None


@create_backup.detour(minutes=10)
def give_up(ctx: Context[World]) -> Outcome:
    """The guest stops writing, or is not heard of any more, before what it wrote is taken away."""
    with ctx.database.read() as session:
        pending = session.scalars(_unanswered(ctx.run.id)).all()
    begun = ctx.memory.setdefault("giving_up", clock.now())
    if any(not each.cancelled for each in pending):
        ctx.record(lambda session: mailbox.cancel(session, ctx.run.id))
        return Wait(0.5, "the guest is asked to stop")
    if pending and clock.now() < begun + PARTING:
        return Wait(1, "the guest stops writing")
    return None


@create_backup.detour(minutes=60, after="give_up")
def put_all_away(ctx: Context[World]) -> Outcome:
    return backup_copies.put_away(ctx, keep=False)


@create_backup.detour(minutes=60, after="put_all_away")
def clear(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
    ctx.world.store.delete_prefix(backup_rows.place(backup))
    return None


@create_backup.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    mailbox.cancel(session, run.id)
    backup = session.get(Backup, run.subject)
    if backup is not None and backup.state != State.COMPLETED:
        backup.fault = backup.fault or fault
        backup.state, backup.updated, backup.data_key = State.FAILED, clock.now(), None


def _written(ctx: Context[World]) -> dict[str, Any] | None:
    """What the guest that reads the data says of them; None: it is at work."""
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
    if backup_copies.read(backup, ctx):
        return backup_copies.ask(ctx, backup, _order(ctx))
    _require_alive(ctx, backup.instance_id)
    return mailbox.ask(ctx, backup.instance_id, "backup", **_order(ctx))


def _wait(ctx: Context[World]) -> Outcome:
    """For the guest that reads the data. A helper is seen to by whoever asks it, the instance's own server here."""
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
    if backup_copies.read(backup, ctx):
        reader = backup_copies.helper(ctx, backup).name
    else:
        reader = backup.instance_id
        servers.check(ctx, instance_id=reader)
    return servers.await_guest(ctx, "the backup is being written", guest=reader)


def _stays(ctx: Context[World]) -> bool:
    with ctx.database.read() as session:
        return backup_copies.stays(session.get_one(Backup, ctx.subject))


def _order(ctx: Context[World]) -> dict[str, Any]:
    """What the guest is asked: the same each time."""
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
        parent = session.get(Backup, backup.parent_id) if backup.parent_id else None
        guest = session.get(Guest, backup.instance_id)
    return {
        "backup": backup.id,
        "place": backup_rows.place(backup),
        "attempt": ctx.memory["attempt"],
        "key": backup.data_key,
        "strategy": backup.strategy,
        "since": parent.position if parent else None,
        "total": guest.volume_used if guest and not parent else 0,
        "limits": ctx.memory["limits"],
    }


def _require_alive(ctx: Context[World], guest: str) -> None:
    """Nobody brings the server back while it is held for this. Raises CloudFailed."""
    server = ctx.world.provider.compute.look(guest)
    if server.state in servers.GONE or server.fault:
        raise errors.CloudFailed(f"the server that was read from is {server.state}: {server.fault or 'it has ended'}")


def _unanswered(run_id: str) -> Any:
    return select(Command).where(Command.run_id == run_id, Command.answered.is_(False))


def _note(session: Session, backup_id: str, **values: Any) -> None:
    """Unless somebody has given it up meanwhile."""
    running = (Backup.id == backup_id) & Backup.state.in_(RUNNING)
    session.execute(update(Backup).where(running).values(updated=clock.now(), **values))


def _complete(session: Session, backup_id: str, written: Manifest, moment: float | None) -> None:
    """Also when its status was reset a moment ago: it is whole."""
    backup = session.get_one(Backup, backup_id)
    backup.state, backup.fault, backup.updated = State.COMPLETED, None, clock.now()
    backup.size = max(round(written.raw_bytes / GIGABYTE, 2), SMALLEST)
    backup.manifest, backup.mac = backup_rows.manifest_key(backup), written.mac
    backup.location = LOCATION + backup.manifest
    backup.raw_bytes, backup.stored_bytes = written.raw_bytes, written.stored_bytes
    backup.position, backup.moment = dict(written.position), moment
    backup.finished = written.finished


def _complete_copy(session: Session, backup_id: str, snapshot: str, told: Mapping[str, Any]) -> None:
    """The copy on the pool is the backup."""
    backup = session.get_one(Backup, backup_id)
    backup.state, backup.fault, backup.updated = State.COMPLETED, None, clock.now()
    backup.snapshot, backup.location = snapshot, backup_copies.LOCATION + snapshot
    backup.raw_bytes, backup.data_key = told["raw_bytes"], None
    backup.size = max(round(backup.raw_bytes / GIGABYTE, 2), SMALLEST)
    backup.position, backup.moment = dict(told.get("position") or {}), told["moment"]
    backup.finished = backup.updated
