"""Have a server run with what its configuration says: after attach, detach, and a change of the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.session import ring
from argosy.db.tables import Configuration, Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.status import Facts, Task, status
from argosy.workflows import offers, overrides, parameters, servers
from argosy.workflows.world import World

configure_instance: Workflow[World] = Workflow("configure_instance", cancellable=True)

ATTACH, DETACH, UPDATE = "instance_attach_configuration", "instance_detach_configuration", "instance_configure"
"""What is being done, as its events are called."""


def attach(session: Session, instance: Instance, configuration: Configuration) -> Run:
    """Raises BadRequest for an instance that has one, is for another version, or to which something is being done;
    Unprocessable for values that its flavor cannot grant.
    """
    _require_ready(instance)
    if instance.configuration_id:
        raise errors.BadRequest(f"Instance {instance.id} has configuration {instance.configuration_id} attached.")
    if instance.version_id != configuration.version_id:
        now = offers.get(session, instance.version_id)
        raise errors.BadRequest(
            f"Configuration {configuration.id} is for another datastore version than instance {instance.id}: make one"
            f" for {now.datastore.name} {now.version.name}."
        )
    parameters.require_room(parameters.menu(session, instance.version_id), configuration.settings, instance.ram)
    before = overrides.effective(session, instance)
    instance.configuration_id = configuration.id
    return _begin(session, instance, before, ATTACH, configuration.id)


def detach(session: Session, instance: Instance) -> Run | None:
    """None where there is nothing to detach. Raises BadRequest while something is being done to the instance."""
    if not instance.configuration_id:
        return None
    _require_ready(instance)
    before, was = overrides.effective(session, instance), instance.configuration_id
    instance.configuration_id = None
    return _begin(session, instance, before, DETACH, was)


def change(session: Session, configuration: Configuration, values: Mapping[str, Any]) -> list[Run]:
    """Give the group these values, and have its instances run with them. Raises Unprocessable for values that one of
    them cannot have: its flavor cannot grant them, or the version that it was upgraded to does not take them.
    """
    instances = attached(session, configuration.id)
    for each in instances:
        _require_fit(session, each, configuration, values)
    before = [overrides.effective(session, each) for each in instances]
    configuration.settings, configuration.updated = dict(values), clock.now()
    pairs = zip(instances, before, strict=True)
    return [_begin(session, instance, was, UPDATE, configuration.id) for instance, was in pairs]


def attached(session: Session, configuration_id: str) -> Sequence[Instance]:
    mine = (Instance.configuration_id == configuration_id) & Instance.deleted.is_(False)
    return session.scalars(select(Instance).where(mine).order_by(Instance.id)).all()


def _require_fit(session: Session, instance: Instance, group: Configuration, values: Mapping[str, Any]) -> None:
    """What the group has already, the version took when the instance went to it."""
    menu = parameters.menu(session, instance.version_id)
    if instance.version_id != group.version_id:
        fresh = {name: value for name, value in values.items() if group.settings.get(name) != value}
        try:
            parameters.check(menu, parameters.unlocked(menu, fresh))
        except errors.Unprocessable as error:
            number = offers.get(session, instance.version_id).version.name
            raise errors.Unprocessable(f"instance {instance.id} is of version {number}: {error.message}") from error
    parameters.require_room(menu, values, instance.ram)


def _begin(session: Session, instance: Instance, before: Mapping[str, Any], doing: str, configuration_id: str) -> Run:
    """The status that follows is there with the answer; the server's own word replaces it."""
    after = overrides.effective(session, instance)
    late = parameters.restart_needed(parameters.menu(session, instance.version_id), before, after)
    if late and instance.task == Task.NONE:
        instance.task = Task.RESTART_REQUIRED
    instance.updated = clock.now()
    events.tell(session, f"dbaas.{doing}.start", subject=instance.id, configuration_id=configuration_id)
    return queue.enqueue(
        session, configure_instance, instance.id, patient=True, project_id=instance.project_id, doing=doing
    )


def _require_ready(instance: Instance) -> None:
    """Raises BadRequest, in Trove's words."""
    if instance.task not in servers.IDLE:
        raise errors.BadRequest(
            "The operation you have requested cannot be executed because the instance status is currently:"
            f" {status(Facts(instance.task))}"
        )


@configure_instance.step(minutes=60)
def turn(ctx: Context[World]) -> Outcome:
    """One after another, in the order they were asked for; what is applied is what holds when it is this one's turn."""
    return queue.await_hold(ctx, ctx.subject)


@configure_instance.step(minutes=3)
def guest(ctx: Context[World]) -> Outcome:
    answer = mailbox.ask(ctx, ctx.subject, "configure", overrides=overrides.current(ctx))
    if answer is None:
        _give_up_on_a_silent_one(ctx)
        return servers.await_guest(ctx, "the settings are being applied")
    ctx.record(lambda session: _settle(session, ctx.run, answer))
    return None


def _give_up_on_a_silent_one(ctx: Context[World]) -> None:
    """One that cannot hear us holds up nothing else for longer than it takes to count as silent: whatever brings it
    back brings the settings along. Raises GuestFailed.
    """
    since, patience = ctx.memory.setdefault("since", clock.now()), ctx.world.settings.conductor.silent_seconds
    with ctx.database.read() as session:
        guest = session.get(Guest, ctx.subject)
    if abs(clock.now() - since) > patience and not (guest and guest.connected):
        raise errors.GuestFailed(f"the guest has not been heard of for {patience:g} s")


def _settle(session: Session, run: Run, answer: Mapping[str, Any]) -> None:
    """What the server says is so; an instance to which something else is done by now keeps that status."""
    task = Task.RESTART_REQUIRED if answer.get("restart_required") else Task.NONE
    idle = (Instance.id == run.subject) & Instance.task.in_(servers.IDLE)
    session.execute(update(Instance).where(idle).values(task=task, updated=clock.now()))
    overrides.note(session, run.subject, answer.get("fault"))
    events.tell(session, f"dbaas.{run.memory['doing']}.end", subject=run.subject)
    ring(session, "api")


@configure_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """Whatever is asked of the server next brings the settings along."""
    servers.note(session, run, f"the configuration could not be applied: {fault}; a restart applies it")
    events.tell(session, f"dbaas.{run.memory['doing']}.error", subject=run.subject, message=fault)
