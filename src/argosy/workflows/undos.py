"""What can be undone: an instance's data as they were before they were made others, kept for a while. Rows, and what
the operations that write them share.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Fact, Instance, Undo
from argosy.durable import queue
from argosy.durable.workflow import Context, Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import Feature
from argosy.workflows import servers, snapshots
from argosy.workflows.world import World

HOUR = 3600.0


def begin(  # noqa: PLR0913 - what is told of one operation
    session: Session,
    workflow: Workflow[World],
    caller: Caller,
    instance: Instance,
    *,
    reason: str,
    shared: Iterable[str] = (),
    **memory: Any,
) -> None:
    """Start what makes an instance's data others, after keeping them. Raises Busy, NotSupported."""
    _require_snapshots(session, instance)
    if instance.task != Task.ERROR or not instance.quota_held:
        servers.require_running(instance)
    kept = str(uuid.uuid4())
    run = queue.enqueue(
        session,
        workflow,
        instance.id,
        shared=shared,
        project_id=caller.project_id,
        generation=instance.generation,
        task=instance.task,
        snapshot=kept,
        reason=reason,
        version=instance.version_id,
        restored_from=instance.restored_from,
        **memory,
    )
    snapshots.expect(session, kept, instance.id, run.id)
    instance.task, instance.updated = Task.RESTORING, clock.now()


def _require_snapshots(session: Session, instance: Instance) -> None:
    """What is there is never given up for something that may not come."""
    provider = session.get(Fact, "provider")
    if provider is None or Feature.SNAPSHOT not in provider.value["features"]:
        raise errors.NotSupported(
            f"the data of instance {instance.id} cannot be replaced: this provider makes no snapshots to keep them in;"
            " restore into a new instance instead"
        )


def require_confirmed(instance: Instance, *, confirmed: bool) -> None:
    """Raises Unprocessable."""
    if instance.protected and not confirmed:
        raise errors.Unprocessable(
            f"Instance {instance.id} is protected: say `confirm` too if all of its data are to be replaced."
        )


def mark(ctx: Context[World]) -> str:
    """Under which the run makes the volume anew: so that it does so once."""
    return str(uuid.uuid5(uuid.UUID(ctx.run.id), "data"))


def keep(ctx: Context[World], session: Session) -> None:
    """The data have become others: what they were stands where its owner finds it. May be repeated."""
    now = clock.now()
    row = Undo(instance_id=ctx.subject, id=ctx.memory["snapshot"], created=now)
    row.until = now + ctx.world.settings.backups.undo_hours * HOUR
    row.reason, row.version_id = ctx.memory["reason"], ctx.memory["version"]
    row.restored_from = ctx.memory["restored_from"]
    session.merge(row)


def of(session: Session, instance_id: str) -> Sequence[Undo]:
    """The latest first."""
    mine = select(Undo).where(Undo.instance_id == instance_id)
    return session.scalars(mine.order_by(Undo.created.desc(), Undo.id)).all()


def find(session: Session, instance: Instance, undo_id: str | None) -> Undo:
    """The latest, where none is named. Raises NotFound."""
    found = [each for each in of(session, instance.id) if undo_id in (None, each.id)]
    if not found:
        what = f"{undo_id} of instance {instance.id}" if undo_id else f"that instance {instance.id} could go back to"
        raise errors.NotFound(f"there is nothing kept {what}: `undos` lists what there is")
    return found[0]


def forget(session: Session, undo_id: str) -> None:
    """The copy itself goes with the next sweep, or before it."""
    session.execute(delete(Undo).where(Undo.id == undo_id))


def forget_all(session: Session, instance_id: str) -> None:
    session.execute(delete(Undo).where(Undo.instance_id == instance_id))
