"""Delete an instance that is protected: a last backup, then its server goes and its data wait to be wanted back.

For Trove's views and for quota it is deleted when this has been admitted; what is left of it is its row, its volume,
and a time.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Backup, Certificate, Endpoint, Instance, InstanceTag, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import enrolment
from argosy.model.backups import RUNNING, State
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.settings import Settings
from argosy.workflows import archives, create_backup, delete_instance, servers
from argosy.workflows.new_backups import NewBackup
from argosy.workflows.world import World

quarantine_instance: Workflow[World] = Workflow("quarantine_instance", urgency=10, event="instance_quarantine")

HOUR = 3600.0
WEEK = 7 * 24 * 60


def admit(session: Session, settings: Settings, caller: Caller, instance: Instance, *, final_backup: bool) -> None:
    """Asked for again while it is under way, it changes nothing. The quota is given back at once.

    Raises what `create_backup.admit` does, so that nobody is left without the last backup that they count on: without
    `final_backup` it is accepted whatever is being done to the instance.
    """
    session.refresh(instance, with_for_update=True)  # of two at once, the second sees what the first did
    if instance.task == Task.DELETING:
        return
    last = _last_backup(session, settings, caller, instance) if final_backup else ""
    instance.task, instance.updated = Task.DELETING, clock.now()
    delete_instance.release(session, instance)
    if not last:
        queue.cancel(session, instance.id)
    hours, project = settings.backups.quarantine_hours, caller.project_id
    queue.enqueue(session, quarantine_instance, instance.id, patient=True, project_id=project, last=last, hours=hours)


def _last_backup(session: Session, settings: Settings, caller: Caller, instance: Instance) -> str:
    name = f"{instance.name[:200]} (last, before it was deleted)"
    try:
        return create_backup.admit(session, settings, caller, NewBackup(name, instance, purpose="final")).id
    except (errors.Busy, errors.OverQuota, errors.NotSupported) as error:
        raise type(error)(f"{error.message} To delete it without a last backup add skip_final_backup=true.") from error


@quarantine_instance.step(minutes=WEEK)
def last_backup(ctx: Context[World]) -> Outcome:
    """One that fails holds nothing up: the volume is there, and says why there is no backup."""
    with ctx.database.read() as session:
        backup = session.get(Backup, ctx.memory["last"])
    if backup is None:
        return None
    if backup.state in RUNNING:
        return Wait(2, "its last backup is being taken")
    ctx.memory["fault"] = None if backup.state == State.COMPLETED else f"its last backup failed: {backup.fault}"
    return None


@quarantine_instance.step(minutes=60)
def hold(ctx: Context[World]) -> Outcome:
    """Wait until whatever holds the instance has ended."""
    return queue.await_hold(ctx, ctx.subject)


@quarantine_instance.step(minutes=30)
def server(ctx: Context[World]) -> Outcome:
    """The engine ends in good order, so that its files are whole for whoever wants them back."""
    outcome = servers.put_down(ctx)
    if outcome is None:
        ctx.world.provider.compute.delete(ctx.subject)
    return outcome


@quarantine_instance.step(minutes=30)
def network(ctx: Context[World]) -> Outcome:
    ctx.world.provider.networks.delete(ctx.subject)
    return None


@quarantine_instance.step()
def keep(ctx: Context[World]) -> Outcome:
    """From now on until its time is over it can be brought back."""
    until = clock.now() + ctx.memory["hours"] * HOUR

    def write(session: Session) -> None:
        instance = session.get_one(Instance, ctx.subject)
        instance.deleted, instance.deleted_at, instance.client_token = True, clock.now(), None
        instance.quarantined_until, instance.task = until, Task.NONE
        instance.fault = ctx.memory.get("fault")
        for table in (InstanceTag, Endpoint, Certificate):
            session.execute(delete(table).where(table.instance_id == ctx.subject))
        archives.interrupt(session, ctx.subject)  # before what the guest said of it is forgotten
        enrolment.forget(session, ctx.subject)

    ctx.record(write)
    return None


@quarantine_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """The instance stays visible with the cause; deleting it again goes on where this stopped."""
    instance = session.get_one(Instance, run.subject)
    instance.task, instance.fault, instance.fault_at = Task.ERROR, fault, clock.now()


def quarantined(session: Session, instance_id: str) -> Instance | None:
    """The instance, if it waits to be wanted back."""
    waiting = (Instance.id == instance_id) & Instance.deleted & Instance.quarantined_until.is_not(None)
    return session.scalar(select(Instance).where(waiting).with_for_update())
