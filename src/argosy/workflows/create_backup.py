"""Take a backup of an instance: from the request to a manifest in the store that says that all of it is there.

The guest writes sealed parts under a name that only this attempt has; whatever becomes of it, the backup is complete
when the manifest is, and nothing of it is left in the store when it has failed.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events, quotas
from argosy.db.tables import Backup, BackupStrategy, Command, Fact, Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.engines.backups import SNAPSHOT, Strategy
from argosy.engines.base import Capability
from argosy.guest import mailbox
from argosy.model.backups import RESTORABLE, RUNNING, Manifest, Proof, State
from argosy.model.caller import Caller
from argosy.providers.base import Feature
from argosy.settings import Settings
from argosy.workflows import backup_copies, backup_rows, keeping, offers, progress, servers, strategies
from argosy.workflows.offers import Offer
from argosy.workflows.strategies import Wish
from argosy.workflows.world import World

create_backup: Workflow[World] = Workflow("create_backup", cancellable=True, event="backup_create")

SWIFT, CINDER = "swift", "cinder"
"""Trove's storage drivers: our object store, and a snapshot of the volume besides."""
CONTAINER = "database_backups"
NO_KEY = re.compile(r"[^A-Za-z0-9._-]")
LONGEST_MINUTES = 7 * 24 * 60
PARTING = 60.0
"""Seconds that a guest has to let go of what nobody wants any more."""
GIGABYTE = 1 << 30
SMALLEST = 0.01
"""GB that a backup is told to have at least: clients take 0 for one that was never made."""
LOCATION = "store:///"
"""Before the key of a manifest: where a backup is, in the deployment's own store."""


@dataclass(frozen=True)
class NewBackup:
    """What somebody wants. Empty fields are left to the instance, its project and the deployment."""

    name: str
    instance: Instance
    description: str | None = None
    parent_id: str | None = None
    incremental: bool = False
    """on the last backup that one can build on; where there is none, everything is taken"""
    container: str = ""
    storage_driver: str = SWIFT
    strategy: str = ""
    purpose: str = "manual"
    schedule_id: str | None = None
    bytes_per_second: int | None = None
    """the most that it reads; 0: as much as it can"""
    nice: int | None = None


def admit(session: Session, settings: Settings, caller: Caller, wanted: NewBackup) -> Backup:
    """Check the request and write it down. Raises NotFound, BadRequest, Busy, OverQuota, NotSupported."""
    instance = wanted.instance
    offer = offers.get(session, instance.version_id)
    _require_able(offer)
    servers.require_running(instance)
    _require_alone(session, instance)
    parent = _parent(session, caller, wanted, offer)
    strategy = _strategy(session, settings, wanted, offer, parent)
    quotas.reserve(session, settings, instance.project_id, backups=1)
    backup = _backup(session, wanted, strategy, parent)
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
        otherwise=_otherwise(wanted, offer, parent),
        told=_facts(backup),
    )
    return backup


def _otherwise(wanted: NewBackup, offer: Offer, parent: Backup | None) -> str:
    """What takes everything instead, when the guest cannot build on the backup that we chose; empty: nothing."""
    full = [each.name for each in offer.engine.strategies if not (each.parents or each.offline)]
    return full[0] if full and parent is not None and not wanted.parent_id else ""


def _require_able(offer: Offer) -> None:
    offer.engine.require(Capability.BACKUPS)
    if Capability.BACKUPS not in offer.version.capabilities:
        raise errors.NotSupported(
            f"version {offer.version.name} of {offer.engine.title} cannot be backed up on this deployment"
        )


def _require_alone(session: Session, instance: Instance) -> None:
    """One after another: two at once would only make each other slow. Raises Busy."""
    if session.scalar(select(Backup.id).where(backup_rows.running(instance.id)).limit(1)) is not None:
        raise errors.Busy(
            f"Instance {instance.id} is not currently available for an action to be performed"
            " (instance status was BACKUP)."
        )


def _parent(session: Session, caller: Caller, wanted: NewBackup, offer: Offer) -> Backup | None:
    instance = wanted.instance
    if not wanted.parent_id:
        return _latest(session, instance, offer) if wanted.incremental else None
    parent = backup_rows.find(session, caller, wanted.parent_id)
    _require_parent(session, instance, parent)
    if wanted.container and key_of(wanted.container) != parent.container:
        raise errors.BadRequest(f"backup {parent.id} lies in container {parent.container}: what builds on it does too")
    return parent


def _require_parent(session: Session, instance: Instance, parent: Backup) -> None:
    """Raises BadRequest, Conflict."""
    if parent.instance_id != instance.id:
        raise errors.BadRequest(
            f"backup {parent.id} is of instance {parent.instance_id}: only one of {instance.id} can be built on"
        )
    if parent.version_id != instance.version_id:
        raise errors.BadRequest(
            f"backup {parent.id} is of another version than the instance is of by now: take a full one"
        )
    backup_rows.require_restorable(session, parent)


def _latest(session: Session, instance: Instance, offer: Offer) -> Backup | None:
    """The newest one, if anything can build on it and it is not known to be broken."""
    building = {parent for each in offer.engine.strategies for parent in each.parents}
    mine = (Backup.instance_id == instance.id) & (Backup.project_id == instance.project_id)
    good = Backup.state.in_(RESTORABLE) & (Backup.proof != Proof.BROKEN) & Backup.quarantined_until.is_(None)
    usable = (Backup.version_id == instance.version_id) & Backup.strategy.in_(sorted(building))
    newest = select(Backup).where(mine, good, usable).order_by(Backup.created.desc(), Backup.id).limit(1)
    found = session.scalar(newest)
    return None if found is None or _broken_below(session, found) else found


def _broken_below(session: Session, backup: Backup) -> bool:
    return any(each.proof == Proof.BROKEN for each in backup_rows.chain(session, backup))


def _strategy(session: Session, settings: Settings, wanted: NewBackup, offer: Offer, parent: Backup | None) -> Strategy:
    guest, provider = session.get(Guest, wanted.instance.id), session.get(Fact, "provider")
    least = settings.backups.snapshot_from_megabytes << 20
    wish = Wish(
        asked=wanted.strategy or (SNAPSHOT if wanted.storage_driver == CINDER else ""),
        preferred=offer.version.backup_strategy,
        parent=parent.strategy if parent else "",
        snapshots=provider is not None and Feature.SNAPSHOT in provider.value["features"],
        small=guest is not None and guest.volume_used < least,
    )
    return strategies.choose(offer.engine, wish)


def _backup(session: Session, wanted: NewBackup, strategy: Strategy, parent: Backup | None) -> Backup:
    instance, now = wanted.instance, clock.now()
    return Backup(
        id=str(uuid.uuid4()),
        project_id=instance.project_id,
        instance_id=instance.id,
        name=wanted.name,
        description=wanted.description,
        version_id=instance.version_id,
        parent_id=parent.id if parent else None,
        state=State.NEW,
        storage_driver=wanted.storage_driver,
        container=parent.container if parent else key_of(wanted.container or _container(session, instance)),
        strategy=strategy.name,
        data_key=secrets.token_hex(32),
        gigabytes=instance.gigabytes,
        purpose=wanted.purpose,
        schedule_id=wanted.schedule_id,
        created=now,
        updated=now,
    )


def key_of(container: str) -> str:
    """A container's name as keys of the store begin: those know fewer characters than Trove allows."""
    plain = NO_KEY.sub(lambda found: f"_{ord(found[0]):02x}", container)
    return f"_{plain}" if plain[0] in ".-" else plain


def _container(session: Session, instance: Instance) -> str:
    """The instance's, the project's, or the default."""
    for instance_id in (instance.id, ""):
        chosen = session.get(BackupStrategy, (instance.project_id, instance_id))
        if chosen is not None:
            return chosen.container
    return CONTAINER


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
    try:
        return _await_written(ctx)
    except errors.Rejected:
        if not ctx.memory.get("otherwise"):
            raise
    ctx.record(lambda session: _note(session, ctx.subject, parent_id=None, strategy=ctx.memory["otherwise"]))
    return None


@create_backup.step(minutes=LONGEST_MINUTES, detour="give_up")
def anew(ctx: Context[World]) -> Outcome:
    """Everything, where nobody named the backup to build on and the data have become another's since it was taken."""
    return None if "taken" in ctx.memory else _await_written(ctx)


def _await_written(ctx: Context[World]) -> Outcome:
    answer = _written(ctx)
    if answer is None:
        progress.require(ctx)
        return servers.await_guest(ctx, "the backup is being written", guest=_reader(ctx))
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


def _reader(ctx: Context[World]) -> str:
    """The guest that reads the data."""
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
    return backup_copies.helper(ctx, backup).name if backup_copies.read(backup, ctx) else backup.instance_id


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
