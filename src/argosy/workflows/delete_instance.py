"""Delete an instance, whatever became of it. Also the one undo of everything that creates."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import quotas
from argosy.db.tables import Certificate, Endpoint, GuestLog, Instance, InstanceTag, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import enrolment
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import archives, backup_schedules, instance_backups, module_rows, snapshots, undos
from argosy.workflows.world import World

delete_instance: Workflow[World] = Workflow("delete_instance", urgency=10, event="instance_delete")


def admit(session: Session, caller: Caller, instance: Instance, *, delete_backups: bool = False) -> None:
    """Always accepted, also while building: a running operation is asked to stop, and waited for if it cannot.

    Asked for again while it is under way, it changes nothing. The quota is given back at once. Its backups outlive it
    unless `delete_backups`.
    """
    session.refresh(instance, with_for_update=True)  # of two at once, the second sees what the first did
    if instance.task == Task.DELETING:
        return
    instance.task, instance.updated = Task.DELETING, clock.now()
    release(session, instance)
    queue.cancel(session, instance.id)
    project = caller.project_id
    queue.enqueue(
        session, delete_instance, instance.id, patient=True, project_id=project, delete_backups=delete_backups
    )


def release(session: Session, instance: Instance) -> None:
    if instance.quota_held:
        quotas.release(session, instance.project_id, instances=1, volumes=instance.gigabytes, ram=instance.ram)
        instance.quota_held = False


@delete_instance.step(minutes=60)
def hold(ctx: Context[World]) -> Outcome:
    """Wait until whatever holds the instance has ended."""
    return queue.await_hold(ctx, ctx.subject)


@delete_instance.step(minutes=30)
def server(ctx: Context[World]) -> Outcome:
    ctx.world.provider.compute.delete(ctx.subject)
    return None


@delete_instance.step(minutes=30)
def network(ctx: Context[World]) -> Outcome:
    ctx.world.provider.networks.delete(ctx.subject)
    return None


@delete_instance.step(minutes=30)
def volume(ctx: Context[World]) -> Outcome:
    """And what was kept to go back to."""
    ctx.world.provider.volumes.delete(ctx.subject)
    ctx.record(lambda session: undos.forget_all(session, ctx.subject))
    snapshots.let_go_with(ctx, ctx.subject)
    return None


@delete_instance.step(minutes=24 * 60)
def backups(ctx: Context[World]) -> Outcome:
    """Begun, each by itself: what cannot be deleted says so itself, and is tried again."""
    if not ctx.memory.get("delete_backups"):
        return None
    left = instance_backups.begin_deleting(ctx.database, ctx.world.settings, ctx.subject)
    return Wait(5, f"{left} of its backups are in use") if left else None


@delete_instance.step()
def forget(ctx: Context[World]) -> Outcome:
    def write(session: Session) -> None:
        instance = session.get_one(Instance, ctx.subject)
        instance.deleted, instance.deleted_at, instance.client_token = True, clock.now(), None
        instance.quarantined_until = None
        session.execute(delete(InstanceTag).where(InstanceTag.instance_id == ctx.subject))
        session.execute(delete(Endpoint).where(Endpoint.instance_id == ctx.subject))
        session.execute(delete(Certificate).where(Certificate.instance_id == ctx.subject))
        session.execute(delete(GuestLog).where(GuestLog.instance_id == ctx.subject))
        backup_schedules.forget(session, ctx.subject)
        archives.forget(session, ctx.subject)
        module_rows.forget(session, ctx.subject)
        enrolment.forget(session, ctx.subject)

    ctx.record(write)
    return None


@delete_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """The instance stays visible with the cause; deleting it again goes on where this stopped."""
    instance = session.get_one(Instance, run.subject)
    instance.task, instance.fault, instance.fault_at = Task.ERROR, fault, clock.now()
