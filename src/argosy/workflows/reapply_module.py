"""Apply a module again wherever it was applied before: a few instances at a time, in the order of their ids."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.tables import Instance, InstanceModule, Module, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.workflows import change_modules
from argosy.workflows.world import World

reapply_module: Workflow[World] = Workflow("reapply_module", cancellable=True, event="module_reapply")


@dataclass(frozen=True)
class Batches:
    md5: str = ""
    """only where it was applied with these contents; empty: with any"""
    force: bool = False
    """also where it has its present contents already"""
    size: int = 50
    delay: int = 2
    """seconds between two batches"""


def admit(session: Session, module: Module, batches: Batches) -> Run:
    """Raises Busy while it is being applied again already."""
    return queue.enqueue(
        session, reapply_module, module.id, project_id=module.project_id or "", after="", **asdict(batches)
    )


@reapply_module.step(minutes=24 * 60)
def batch(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        module = session.get(Module, ctx.subject)
        found = _next(session, ctx, module) if module else []
    if not found:
        return None

    def write(session: Session) -> None:
        for each in found:
            instance = session.get(Instance, each)
            if instance is not None and not instance.deleted:
                change_modules.again(session, instance, session.get_one(Module, ctx.subject))

    ctx.record(write)
    ctx.memory["after"] = found[-1]
    return Wait(ctx.memory["delay"], f"the next {ctx.memory['size']} instances follow")


def _next(session: Session, ctx: Context[World], module: Module) -> list[str]:
    rows = select(InstanceModule.instance_id).where(
        InstanceModule.module_id == module.id, InstanceModule.instance_id > ctx.memory["after"]
    )
    if ctx.memory["md5"]:
        rows = rows.where(InstanceModule.md5 == ctx.memory["md5"])
    if not ctx.memory["force"]:
        rows = rows.where(InstanceModule.md5 != module.md5)
    return list(session.scalars(rows.order_by(InstanceModule.instance_id).limit(ctx.memory["size"])))
