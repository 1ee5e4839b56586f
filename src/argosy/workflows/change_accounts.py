"""Change databases and users of an instance: one list of changes for its guest, under a name for each kind.

Requests back to back go one after another: each holds the accounts of its instance alone, and the instance itself
together with whoever does not need all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Instance, Lock, Run
from argosy.durable import locks, queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.workflows import servers
from argosy.workflows.world import World

MINUTES = 5.0
"""A database is dropped with all its files, and a user's belongings are looked for everywhere."""


def guest(ctx: Context[World]) -> Outcome:
    answer = mailbox.ask(ctx, ctx.subject, "change_accounts", changes=ctx.memory["changes"])
    return servers.await_guest(ctx, "the accounts are being changed") if answer is None else None


def failed(session: Session, run: Run, fault: str) -> None:
    """What was changed before stays, and so does the instance: its owner reads what went wrong."""
    servers.note(session, run, fault)


def _operation(name: str, event: str) -> Workflow[World]:
    made: Workflow[World] = Workflow(name, cancellable=True, event=event)
    made.step(minutes=MINUTES)(guest)
    made.on_failure(failed)
    return made


create_databases = _operation("create_databases", "database_create")
delete_database = _operation("delete_database", "database_delete")
create_users = _operation("create_users", "user_create")
delete_user = _operation("delete_user", "user_delete")
change_passwords = _operation("change_passwords", "user_change_password")
update_user = _operation("update_user", "user_update_attributes")
grant_access = _operation("grant_access", "user_grant")
revoke_access = _operation("revoke_access", "user_revoke")
disable_master = _operation("disable_master", "root_disable")


@disable_master.step()
def forget(ctx: Context[World]) -> Outcome:
    """Trove's rootEnabled is false from now on; who was told the master's password first stays on record."""
    untold = update(Instance).where(Instance.id == ctx.subject).values(master_told=False)
    ctx.record(lambda session: session.execute(untold))
    return None


OPERATIONS = (
    create_databases,
    delete_database,
    create_users,
    delete_user,
    change_passwords,
    update_user,
    grant_access,
    revoke_access,
    disable_master,
)


@dataclass(frozen=True)
class Plan:
    """What is to be done: an operation with its changes, as the guest understands them (agent/accounts.py)."""

    operation: Workflow[World]
    changes: Sequence[Mapping[str, Any]]
    told: Mapping[str, str] = field(default_factory=dict)
    """what the event says of it"""


def admit(session: Session, caller: Caller, instance: Instance, plan: Plan) -> Run:
    """Checked against the guest before. Raises Busy while others change accounts, or need the instance alone."""
    servers.require_idle(instance)
    run = queue.enqueue(
        session,
        plan.operation,
        instance.id,
        patient=True,
        project_id=caller.project_id,
        changes=list(plan.changes),
        told=dict(plan.told),
    )
    if locks.take(session, run.id, {lane(instance.id)}, {instance.id}):
        raise errors.Busy(f"{instance.id} is busy with another operation: wait until it has ended")
    return run


def lane(instance_id: str) -> str:
    """What is held while accounts change."""
    return f"accounts:{instance_id}"


def busy(session: Session, instance_id: str) -> bool:
    """Whether `admit` would find somebody in its way."""
    alone = (Lock.subject == instance_id) & (Lock.holder == locks.EXCLUSIVE)
    return session.scalars(select(Lock.run_id).where((Lock.subject == lane(instance_id)) | alone)).first() is not None
