"""Have the log of an instance archived from now on, as a stream of its own, or not any more.

What is in the store already stays there until it is too old, and can be gone back to. An engine that writes no log
unless somebody wants it is restarted for that, once.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events, project_keys
from argosy.db.tables import Archive, ArchiveStream, Instance, Run
from argosy.durable import locks, queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import mailbox
from argosy.model.status import Task
from argosy.stores import keys, streams
from argosy.workflows import archives, offers, servers, starting
from argosy.workflows.world import World

begin_archive: Workflow[World] = Workflow("begin_archive", cancellable=True, event="archive_begin")
end_archive: Workflow[World] = Workflow("end_archive", event="archive_end")

RESTARTS = "restarts"
"""key of the run's memory: the engine is to be restarted, and from `hold` on nothing else is done to the instance"""


def enable(session: Session, settings_days: float, instance: Instance, keep_days: float | None = None) -> Archive:
    """Archive the instance's log; the next look begins a stream. Raises NotSupported."""
    offer = offers.get(session, instance.version_id)
    if not archives.able(offer):
        raise errors.NotSupported(
            f"version {offer.version.name} of {offer.engine.title} cannot be restored to a moment on this deployment"
        )
    now = clock.now()
    archive = session.get(Archive, instance.id, with_for_update=True)
    if archive is None:
        archive = Archive(instance_id=instance.id, project_id=instance.project_id, stream=0, created=now)
        session.add(archive)
    archive.enabled, archive.updated = True, now
    archive.keep_days = keep_days or archive.keep_days or settings_days
    session.flush()
    told = {"enabled": True, "keep_days": archive.keep_days}
    events.tell(session, "dbaas.archive_update", subject=instance.id, project_id=instance.project_id, **told)
    return archive


def admit(session: Session, instance: Instance, reason: str) -> None:
    """Begin another stream of an enabled archive. Raises Busy while that is under way."""
    _enqueue(session, begin_archive, instance, reason)


def disable(session: Session, instance: Instance) -> None:
    """Raises Busy, NotFound."""
    archive = session.get(Archive, instance.id, with_for_update=True)
    if archive is None or not archive.enabled:
        raise errors.NotFound(f"the log of instance {instance.id} is not archived")
    _enqueue(session, end_archive, instance, "its owner wants that")
    archives.end(session, archive)
    archive.enabled, archive.fault, archive.level, archive.updated = False, None, "fine", clock.now()


def _enqueue(session: Session, workflow: Workflow[World], instance: Instance, reason: str) -> None:
    told = {"message": reason}
    run = queue.enqueue(session, workflow, instance.id, patient=True, project_id=instance.project_id, told=told)
    if locks.take(session, run.id, {f"archive:{instance.id}"}, set()):
        raise errors.Busy(f"the archive of {instance.id} is just being changed: wait until that has ended")


@begin_archive.step()
def stream(ctx: Context[World]) -> Outcome:
    def write(session: Session) -> None:
        archive, instance = session.get(Archive, ctx.subject), session.get_one(Instance, ctx.subject)
        if archive is not None and archive.enabled:
            ctx.memory["stream"] = archives.begin(session, archive, instance).number

    ctx.record(write)
    return None


@begin_archive.step(minutes=5)
def key(ctx: Context[World]) -> Outcome:
    """What opens the stream lies beside it before anything does that it opens."""
    if "stream" not in ctx.memory:
        return None
    with ctx.database.write() as session:
        begun = session.get_one(ArchiveStream, (ctx.subject, ctx.memory["stream"]))
        offer, newest = offers.get(session, begun.version_id), project_keys.newest(session, begun.project_id)
    keys.publish(ctx.world.store, streams.CONTAINER, newest, project_keys.wrapping())
    secret, name = bytes.fromhex(begun.data_key), streams.name(begun.instance_id, begun.number)
    told = streams.Stream(
        project=begun.project_id,
        instance=begun.instance_id,
        number=begun.number,
        engine=offer.engine.name,
        version=offer.version.number,
        asked=begun.asked,
        key=newest.seal(name, secret),
    )
    streams.publish(ctx.world.store, begun.place, told, secret)
    return None


@begin_archive.step(minutes=5)
def look(ctx: Context[World]) -> Outcome:
    """Does the engine write it?"""
    if "stream" not in ctx.memory:
        return None
    answer = mailbox.ask(ctx, ctx.subject, "log_ready")
    if answer is None:
        return Wait(5, "the guest looks whether its server writes a log")
    ctx.memory[RESTARTS] = not answer.get("ready", True)
    return None


@begin_archive.step(minutes=30)
def hold(ctx: Context[World]) -> Outcome:
    """It may be restarted while nothing else is being done to it, and while its owner wants it to run."""
    if not ctx.memory.get(RESTARTS):
        return None
    outcome = queue.await_hold(ctx, ctx.subject)
    if outcome is None:
        with ctx.database.read() as session:
            servers.require_running(session.get_one(Instance, ctx.subject))
        ctx.record(lambda session: _reboot(session, ctx.subject))
    return outcome


def _reboot(session: Session, instance_id: str) -> None:
    instance = session.get_one(Instance, instance_id, with_for_update=True)
    if instance.task in servers.IDLE:
        instance.task, instance.updated = Task.REBOOTING, clock.now()


@begin_archive.step(minutes=15)
def restart(ctx: Context[World]) -> Outcome:
    """The data are the same; from its new start on the server writes down what is done to them."""
    if not ctx.memory.get(RESTARTS):
        return None
    servers.check(ctx)
    outcome = starting.ask(ctx, "write_log", "the database server is restarting, to write its log from then on")
    if outcome is not None:
        return outcome
    starting.settle(ctx)
    ctx.record(lambda session: queue.let_go(session, ctx.run, ctx.subject))
    ctx.memory[RESTARTS] = False
    return None


@begin_archive.step(minutes=5)
def guest(ctx: Context[World]) -> Outcome:
    """From its answer on the guest keeps what it writes until that is in the store."""
    if "stream" not in ctx.memory:
        return None
    with ctx.database.read() as session:
        begun = session.get_one(ArchiveStream, (ctx.subject, ctx.memory["stream"]))
        gigabytes = session.get_one(Instance, ctx.subject).gigabytes
    settings = ctx.world.settings.backups
    answer = mailbox.ask(
        ctx,
        ctx.subject,
        "archive",
        stream=begun.number,
        key=begun.data_key,
        interval=settings.log_seconds,
        keep_bytes=archives.spool(settings, gigabytes),
    )
    if answer is None:
        return Wait(5, "the guest begins to ship its log")
    ctx.record(lambda session: _note(session, ctx.subject, begun.number))
    return None


def _note(session: Session, instance_id: str, number: int) -> None:
    session.get_one(ArchiveStream, (instance_id, number)).began = clock.now()


@begin_archive.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    mailbox.cancel(session, run.id)
    if run.memory.get(RESTARTS):
        _give_back(session, run, fault)
    archive = session.get(Archive, run.subject)
    if archive is not None:
        archives.end(session, archive)
        archive.fault, archive.updated = fault, clock.now()


def _give_back(session: Session, run: Run, fault: str) -> None:
    """Nothing was changed but a process: the instance stays what it was, and says what went wrong."""
    if session.get_one(Instance, run.subject).task == Task.REBOOTING and run.id in locks.holders(session, run.subject):
        servers.blame(session, run, fault, task=Task.NONE)


@end_archive.step(minutes=5)
def quiet(ctx: Context[World]) -> Outcome:
    """A guest that cannot be asked is not shipping either: what it brings is refused."""
    answer = mailbox.ask(ctx, ctx.subject, "archive", stream=0)
    return Wait(5, "the guest ends to ship its log") if answer is None else None


@end_archive.on_failure
def unheard(session: Session, run: Run, fault: str) -> None:  # noqa: ARG001 - it is told with the event
    mailbox.cancel(session, run.id)
