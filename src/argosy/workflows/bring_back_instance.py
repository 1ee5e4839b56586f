"""Bring an instance back that was deleted and has not gone yet: a new server over its data, as by a rebuild."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import quotas, tags
from argosy.db.tables import Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import Port
from argosy.settings import Settings
from argosy.workflows import change_modules, ports, rebuild_instance, servers, starting
from argosy.workflows.world import World

bring_back_instance: Workflow[World] = Workflow("bring_back_instance", event="instance_bring_back")


def admit(session: Session, settings: Settings, caller: Caller, instance: Instance) -> None:
    """It is there again, being built, when this is committed. Raises OverQuota, Busy."""
    quotas.reserve(session, settings, instance.project_id, instances=1, volumes=instance.gigabytes, ram=instance.ram)
    generation = instance.generation + 1
    queue.enqueue(session, bring_back_instance, instance.id, project_id=caller.project_id, generation=generation)
    instance.quota_held, instance.quarantined_until = True, None
    instance.deleted, instance.deleted_at, instance.task = False, None, Task.BUILDING
    instance.updated, instance.fault, instance.wanted = clock.now(), None, servers.RUNNING
    tags.put(session, instance, instance.tags)


@bring_back_instance.step()
def network(ctx: Context[World]) -> Outcome:
    port = ports.ensure(ctx)
    outcome = ports.waiting(port)
    if outcome is None:
        ctx.record(lambda session: _expect(session, ctx.subject, ctx.memory["generation"], port))
    return outcome


def _expect(session: Session, instance_id: str, generation: int, port: Port) -> None:
    rebuild_instance.expect(session, instance_id, generation)
    ports.write(session, instance_id, port)


@bring_back_instance.step()
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@bring_back_instance.step(minutes=30)
def guest(ctx: Context[World]) -> Outcome:
    return rebuild_instance.raise_up(ctx)


@bring_back_instance.step(minutes=5)
def modules(ctx: Context[World]) -> Outcome:
    servers.check(ctx)
    return change_modules.give(ctx)


@bring_back_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@bring_back_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """The data are untouched: a rebuild goes on from here."""
    servers.blame(session, run, fault, task=Task.ERROR)
