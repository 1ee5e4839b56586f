"""Give an instance modules, or take one away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Instance, InstanceModule, Module, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.workflows import module_rows, servers
from argosy.workflows.world import World

change_modules: Workflow[World] = Workflow("change_modules", cancellable=True, event="instance_modules")

MESSAGE_LENGTH = 4_000


def apply(session: Session, caller: Caller, instance: Instance, modules: Sequence[Module]) -> Run:
    """Raises BadRequest for a module that does not fit, Busy."""
    servers.require_idle(instance)
    module_rows.require_fitting(session, instance, modules)
    module_rows.expect(session, instance, modules)
    return queue.enqueue(session, change_modules, instance.id, project_id=caller.project_id, remove="")


def remove(session: Session, caller: Caller, instance: Instance, module_id: str) -> Run:
    """Raises NotFound for one that the instance does not have, Forbidden for an administrator's, Busy."""
    servers.require_idle(instance)
    if session.get(InstanceModule, (instance.id, module_id)) is None:
        raise errors.NotFound(f"Module with ID '{module_id}' could not be found.")
    module = session.get_one(Module, module_id)
    if module.is_admin and not caller.is_admin:
        raise errors.Forbidden(f"Module {module.name} was applied by an administrator: only they remove it.")
    return queue.enqueue(session, change_modules, instance.id, project_id=caller.project_id, remove=module_id)


def again(session: Session, instance: Instance, module: Module) -> None:
    """Apply it once more, when the instance is free for it."""
    module_rows.expect(session, instance, [module])
    queue.enqueue(session, change_modules, instance.id, patient=True, project_id=instance.project_id, remove="")


@change_modules.step(minutes=60)
def turn(ctx: Context[World]) -> Outcome:
    return queue.await_hold(ctx, ctx.subject)


@change_modules.step(minutes=5)
def guest(ctx: Context[World]) -> Outcome:
    return _take(ctx, ctx.memory["remove"]) if ctx.memory["remove"] else give(ctx)


def give(ctx: Context[World]) -> Outcome:
    """As a step's whole answer: the guest of the run's instance has what it is to have."""
    with ctx.database.read() as session:
        modules = [_told(each) for each in module_rows.pending(session, ctx.subject)]
    if not modules:
        return None
    answer = mailbox.ask(ctx, ctx.subject, "apply_modules", modules=modules)
    if answer is None:
        return servers.await_guest(ctx, "modules are being applied")
    ctx.record(lambda session: _settle(session, ctx.subject, answer.get("modules", {})))
    return None


def _take(ctx: Context[World], module_id: str) -> Outcome:
    if mailbox.ask(ctx, ctx.subject, "remove_module", id=module_id) is None:
        return servers.await_guest(ctx, "a module is being removed")
    ctx.record(lambda session: module_rows.forget(session, ctx.subject, module_id))
    return None


@change_modules.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """What the guest was not told is not applied."""
    for each in module_rows.pending(session, run.subject):
        module_rows.settle(session, run.subject, each.id, "ERROR", fault[:MESSAGE_LENGTH])
    servers.note(session, run, f"modules: {fault}")


def _told(module: Module) -> dict[str, str]:
    return {
        "id": module.id,
        "name": module.name,
        "type": module.type,
        "md5": module.md5,
        "contents": module.contents,
    }


def _settle(session: Session, instance_id: str, told: Mapping[str, Any]) -> None:
    for module_id, each in told.items():
        status = "OK" if each.get("status") == "OK" else "ERROR"
        module_rows.settle(session, instance_id, module_id, status, str(each.get("message", ""))[:MESSAGE_LENGTH])
