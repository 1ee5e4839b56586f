"""Instances that were made to be looked at for a while go by themselves."""

from __future__ import annotations

from sqlalchemy import select

from argosy import clock
from argosy.db.tables import Instance
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.workflows import delete_instance
from argosy.workflows.world import World

end_peeks: Workflow[World] = Workflow("end_peeks")


@end_peeks.step()
def end(ctx: Context[World]) -> Outcome:
    over = (Instance.ends_at <= clock.now()) & Instance.deleted.is_(False) & (Instance.task != Task.DELETING)
    with ctx.database.read() as session:
        found = session.scalars(select(Instance.id).where(over).order_by(Instance.ends_at)).all()
    for instance_id in found:
        with ctx.database.write() as session:
            instance = session.get_one(Instance, instance_id)
            delete_instance.admit(session, Caller("", "argosy", instance.project_id, ""), instance)
    return None
