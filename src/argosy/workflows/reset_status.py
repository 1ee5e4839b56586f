"""Have done with whatever is being done to an instance: its operations end, its running backups have failed.

The first half of Trove's forced delete. A deletion is never undone: what it has begun it ends.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Backup, Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.caller import Caller
from argosy.model.guest import Health
from argosy.model.status import Task
from argosy.workflows import servers
from argosy.workflows.world import World

reset_status: Workflow[World] = Workflow("reset_status", cancellable=True, event="instance_reset_status")

RUNNING = ("NEW", "BUILDING", "SAVING")
"""States of a backup that is being made."""


def admit(session: Session, caller: Caller, instance: Instance) -> None:
    """The status is reset when this is committed; what was being done ends as soon as it can."""
    if not instance.quota_held:
        return  # it is being deleted, and goes on to be
    running = session.scalars(select(Backup.id).where(_running(instance.id))).all()
    for subject in (instance.id, *running):
        queue.cancel(session, subject)
    clear(session, instance.id)
    queue.enqueue(session, reset_status, instance.id, patient=True, project_id=caller.project_id)


@reset_status.step(minutes=60)
def hold(ctx: Context[World]) -> Outcome:
    """Wait until whatever holds the instance has ended."""
    return queue.await_hold(ctx, ctx.subject)


@reset_status.step()
def reset(ctx: Context[World]) -> Outcome:
    """Once more: what ended meanwhile has left a status of its own."""
    ctx.record(lambda session: clear(session, ctx.subject))
    return None


@reset_status.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, fault)


def clear(session: Session, instance_id: str) -> None:
    """Nothing is being done, and how the server is will be known with its next report."""
    mine = (Instance.id == instance_id) & Instance.quota_held
    session.execute(update(Instance).where(mine).values(task=Task.NONE, updated=clock.now()))
    session.execute(update(Guest).where(Guest.id == instance_id).values(health=Health.UNKNOWN))
    ended = {"state": "FAILED", "fault": "its status was reset while it was being made", "updated": clock.now()}
    session.execute(update(Backup).where(_running(instance_id)).values(**ended))


def _running(instance_id: str) -> ColumnElement[bool]:
    return (Backup.instance_id == instance_id) & Backup.state.in_(RUNNING)
