"""Prove that a backup restores, before anybody needs it: restore it in a sandbox, boot it, look through it.

The sandbox is a guest of its own on a volume of its own, so nothing of this touches the instance. What is learnt stands
on the backup: restorable, as seen at a time and in so many seconds; or broken, and why. A drill that fails for want of
a server, room or store has learnt nothing, and says so. A backup is called broken when the store says so, or when two
drills in a row could not restore it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.tables import Backup, Drill, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.backups import RESTORABLE, Proof
from argosy.model.guest import Secret
from argosy.providers.base import Source
from argosy.settings import BadSetting
from argosy.stores.base import StoreRefused
from argosy.workflows import backup_rows, progress, restorable, restoring, servers, throwaway
from argosy.workflows.throwaway import Throwaway
from argosy.workflows.world import World

drill_backup: Workflow[World] = Workflow("drill_backup", cancellable=True, event="backup_drill")

RUNNING, PASSED, FAILED, ABORTED = "running", "passed", "failed", "aborted"
"""States of a drill. Failed says something of the backup, aborted nothing."""
WEEK = 7 * 24 * 60
NOTHING_LEARNT = (errors.Unavailable, errors.CloudFailed, StoreRefused, BadSetting)


def admit(session: Session, backup: Backup) -> Drill:
    """It holds nothing: a backup that is wanted, or deleted, never waits for its drill. Raises Busy while one is under
    way, Conflict for a backup that is not complete.
    """
    for each in backup_rows.chain(session, backup):
        if each.state not in RESTORABLE or each.quarantined_until is not None:
            raise errors.Conflict(f"The backup {each.id} is not complete: it is {each.state}.")
    if session.scalar(select(Drill.id).where(Drill.backup_id == backup.id, Drill.state == RUNNING).limit(1)):
        raise errors.Busy(f"backup {backup.id} is being tried already")
    run = queue.enqueue(
        session,
        drill_backup,
        backup.id,
        patient=True,
        project_id=backup.project_id,
        told={"backup_id": backup.id, "instance_id": backup.instance_id, "name": backup.name},
    )
    drill = Drill(id=run.id, backup_id=backup.id, project_id=backup.project_id, instance_id=backup.instance_id)
    drill.state, drill.started, drill.report = RUNNING, clock.now(), {}
    backup.proof = Proof.PROVING if backup.proof == Proof.UNPROVEN else backup.proof
    session.add(drill)
    return drill


@drill_backup.step(minutes=60, detour="give_up")
def place(ctx: Context[World]) -> Outcome:
    return throwaway.place(ctx, _sandbox(ctx))


@drill_backup.step(detour="give_up")
def server(ctx: Context[World]) -> Outcome:
    outcome = throwaway.server(ctx, _sandbox(ctx))
    ctx.memory["begun"] = clock.now()
    return outcome


@drill_backup.step(minutes=WEEK, detour="give_up")
def restore(ctx: Context[World]) -> Outcome:
    """To a server that answers."""
    try:
        answer = _asked(ctx)
    except errors.ArgosyError as error:
        return _learn(ctx, error)
    if answer is None:
        progress.require(ctx)
        return servers.await_guest(ctx, "the backup is being restored in a sandbox", guest=_sandbox(ctx).name)
    ctx.memory["seconds"] = clock.now() - ctx.memory["begun"]
    return None


@drill_backup.step(minutes=24 * 60, detour="give_up")
def examine(ctx: Context[World]) -> Outcome:
    """As thoroughly as the engine can, and against what was seen when the backup was taken."""
    if "wrong" in ctx.memory:
        return None
    try:
        answer = throwaway.ask(ctx, _sandbox(ctx), "examine", canaries=ctx.memory["canaries"])
    except errors.ArgosyError as error:
        return _learn(ctx, error)
    if answer is None:
        return servers.await_guest(ctx, "the restored data are being looked through", guest=_sandbox(ctx).name)
    ctx.memory["report"] = answer.get("report", {})
    return None


@drill_backup.step(minutes=60)
def tidy_up(ctx: Context[World]) -> Outcome:
    return throwaway.take_away(ctx, _sandbox(ctx).name)


@drill_backup.step()
def judge(ctx: Context[World]) -> Outcome:
    told = dict(ctx.memory)
    ctx.record(lambda session: _judge(session, ctx.run, told))
    return None


@drill_backup.detour(minutes=60)
def give_up(ctx: Context[World]) -> Outcome:
    return throwaway.take_away(ctx, throwaway.name(ctx, "sandbox"))


@drill_backup.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    _abort(session, run, fault)


def _sandbox(ctx: Context[World]) -> Throwaway:
    """As large as the instance that the backup is of, if that is there: some engines keep their data in memory."""
    with ctx.database.read() as session:
        backup = session.get(Backup, ctx.subject)
        if backup is None:
            raise errors.CloudFailed("the backup was deleted meanwhile")
        instance = session.get(Instance, backup.instance_id)
    ram = max(throwaway.RAM, instance.ram if instance else 0)
    source = Source(snapshot="" if backup.manifest else backup.snapshot)  # what lies in the store is read from there
    return Throwaway(throwaway.name(ctx, "sandbox"), backup.version_id, restorable.needed(backup), source, ram)


def _asked(ctx: Context[World]) -> dict[str, Any] | None:
    """What the store itself says comes first."""
    if progress.SEEN in ctx.memory:
        return throwaway.ask(ctx, _sandbox(ctx), "restore")
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
    links = restoring.examine(ctx.world.settings, ctx.database, backup)
    ctx.memory["canaries"] = dict(links[-1].manifest.canaries) if links else {}
    accounts: Mapping[str, Any] = {"master": Secret.generate().value, "databases": [], "users": []}
    order = {"target": None, "identity": True, "run": True, "overrides": {}, **accounts}
    return throwaway.ask(ctx, _sandbox(ctx), "restore", chain=restoring.layers(links, backup.region), **order)


def _learn(ctx: Context[World], error: errors.ArgosyError) -> Outcome:
    """What goes wrong here says something of the backup, unless it is a server, the store or the way to it that is
    missing: then the drill has failed, and not the backup.
    """
    if isinstance(error, NOTHING_LEARNT) or isinstance(error.__cause__, errors.Unavailable):
        raise error
    ctx.memory["wrong"] = error.message
    ctx.memory["certain"] = isinstance(error, errors.NotFound | errors.Conflict)  # so speaks the store, and no guest
    return None


def _judge(session: Session, run: Run, told: Mapping[str, Any]) -> None:
    backup = session.get(Backup, run.subject)
    if backup is None or backup.quarantined_until is not None or _going(session, backup):
        _abort(session, run, "the backup was deleted meanwhile")
    elif "wrong" not in told:
        _passed(session, run, backup, told)
    else:
        _wrong(session, run, backup, told)


def _passed(session: Session, run: Run, backup: Backup, told: Mapping[str, Any]) -> None:
    backup.proof, backup.proven_at = Proof.RESTORABLE, clock.now()
    backup.proven_seconds, backup.proof_report = told["seconds"], dict(told["report"])
    _end(session, run, PASSED, report=dict(told["report"]))


def _wrong(session: Session, run: Run, backup: Backup, told: Mapping[str, Any]) -> None:
    """Seen for the first time it may be the sandbox's fault: the next drill tells."""
    fault = told["wrong"]
    if told["certain"] or _failed_before(session, backup):
        backup.proof, backup.proven_at, backup.proof_report = Proof.BROKEN, clock.now(), {"fault": fault}
        broken = {"backup_id": backup.id, "name": backup.name, "message": fault}
        kind = "dbaas.backup_broken"
        events.tell(session, kind, subject=backup.instance_id, project_id=backup.project_id, **broken)
    _end(session, run, FAILED, fault=fault)
    _unprove(session, backup)


def _abort(session: Session, run: Run, fault: str) -> None:
    _end(session, run, ABORTED, fault=fault)
    backup = session.get(Backup, run.subject)
    if backup is not None:
        _unprove(session, backup)


def _unprove(session: Session, backup: Backup) -> None:
    """Nobody tries it any more."""
    session.flush()
    if backup.proof == Proof.PROVING:
        backup.proof = Proof.UNPROVEN


def _end(session: Session, run: Run, state: str, *, fault: str | None = None, report: Any = None) -> None:
    drill = session.get(Drill, run.id)
    if drill is not None:
        drill.state, drill.ended, drill.fault, drill.report = state, clock.now(), fault, report or {}


def _failed_before(session: Session, backup: Backup) -> bool:
    """Whether the last drill that learnt something could not restore it either."""
    ended = select(Drill.state).where(Drill.backup_id == backup.id, Drill.state.in_((PASSED, FAILED)))
    return session.scalar(ended.order_by(Drill.started.desc()).limit(1)) == FAILED


def _going(session: Session, backup: Backup) -> bool:
    """Whether it, or what it stands on, is being deleted."""
    family = [each.id for each in backup_rows.chain(session, backup)]
    deleting = (Run.workflow == "delete_backup") & Run.subject.in_(family) & (Run.state == "active")
    return session.scalar(select(Run.id).where(deleting).limit(1)) is not None
