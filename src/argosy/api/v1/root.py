"""The master user, `root` in Trove's words: was it ever handed out, give it a new password, or take it away."""

from __future__ import annotations

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import account_changes, accounts, asking, instance_rows
from argosy.api.v1.account_changes import Wish
from argosy.db.tables import Instance, Run
from argosy.engines.base import Engine, Names
from argosy.model.guest import Secret
from argosy.workflows import change_accounts, offers, reset_master
from argosy.workflows.change_accounts import Plan

PATIENCE = 15.0
"""Seconds that the guest has to change the password while the client waits."""


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"rootEnabled": _own(session, request).master_told})


def create(request: Request) -> Answer:
    """A new password, generated unless the body brings one. Answers once it is good."""
    with asking.seat(request):
        run, password = _admit(request)
        if not asking.outcome(request, run.id, PATIENCE):
            raise asking.late(PATIENCE)
    with request.services.database.write() as session:
        tell(session.get_one(Instance, run.subject), request.caller.user_id)
    return Answer(200, {"user": {"name": "root", "password": password.value}})


def delete(request: Request) -> Answer:
    """Nobody is the master any more, until the next `create`. What it owns stays, and so does the history of root."""
    with request.services.database.read() as session:
        instance = _own(session, request)
    if not instance.master_told:
        raise errors.NotFound("Root has not been enabled.")
    if not account_changes.carry_out(request, _disabling, within=PATIENCE):
        raise asking.late(PATIENCE)
    return Answer(204)


def tell(instance: Instance, user_id: str) -> None:
    """Somebody has been told the master's password. The first time stays on record."""
    instance.master_told = True
    if instance.master_told_at is None:
        instance.master_told_at, instance.master_told_by = clock.now(), user_id


def _disabling(_engine: Engine) -> Wish:
    plan = Plan(change_accounts.disable_master, [{"do": "disable_master"}])
    return Wish(lambda _found: plan)


def _admit(request: Request) -> tuple[Run, Secret]:
    with request.services.database.write() as session:
        instance = _own(session, request)
        password = _given(request, offers.get(session, instance.version_id).engine.names)
        asking.require_running(session, instance)
        return reset_master.admit(session, request.caller, instance, password)


def _given(request: Request, rules: Names) -> Secret | None:
    fields = Fields(request.body or {})
    return accounts.password(fields, rules) if "password" in fields else None


def _own(session: Session, request: Request) -> Instance:
    """Of the URL's project also for admins, as in Trove. Raises NotFound."""
    instance = instance_rows.one(session, request)
    if instance.project_id != request.caller.project_id:
        raise errors.NotFound(f"Resource {instance.id} cannot be found.")
    return instance
