"""The master user, `root` in Trove's words: was it ever handed out, and give it a new password."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import accounts, instance_rows
from argosy.db.tables import Guest, Instance, Run
from argosy.engines.base import Names
from argosy.model.guest import Health, Secret
from argosy.workflows import offers, reset_master

PATIENCE = 15.0
"""Seconds that the guest has to change the password while the client waits."""


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"rootEnabled": _own(session, request).master_told})


def create(request: Request) -> Answer:
    """A new password, generated unless the body brings one. Answers once it is good."""
    services = request.services
    with services.bell.seat() as seated:
        if not seated:
            raise errors.Unavailable("too many requests wait for guests already: try again")
        run, password = _admit(request)
        _await(request, run.id)
    with services.database.write() as session:
        session.execute(update(Instance).where(Instance.id == run.subject).values(master_told=True))
    return Answer(200, {"user": {"name": "root", "password": password.value}})


def _admit(request: Request) -> tuple[Run, Secret]:
    with request.services.database.write() as session:
        instance = _own(session, request)
        password = _given(request, offers.get(session, instance.version_id).engine.names)
        _require_running(session, instance)
        return reset_master.admit(session, request.caller, instance, password)


def _given(request: Request, rules: Names) -> Secret | None:
    fields = Fields(request.body or {})
    return accounts.password(fields, rules) if "password" in fields else None


def _await(request: Request, run_id: str) -> None:
    """Raises BadRequest for what went wrong in the guest, or took too long there, as Trove does."""
    bell = request.services.bell
    state, fault = bell.until(lambda: _state(request, run_id), lambda seen: seen[0] != "active", PATIENCE)
    if state == "active":
        raise errors.BadRequest(f"the guest did not answer within {PATIENCE:g} s: look at the instance's operations")
    if state != "done":
        raise errors.BadRequest(fault or "the operation was cancelled")


def _state(request: Request, run_id: str) -> tuple[str, str]:
    with request.services.database.read() as session:
        return session.execute(select(Run.state, Run.fault).where(Run.id == run_id)).one()


def _own(session: Session, request: Request) -> Instance:
    """Of the URL's project also for admins, as in Trove. Raises NotFound."""
    instance = instance_rows.one(session, request)
    if instance.project_id != request.caller.project_id:
        raise errors.NotFound(f"Resource {instance.id} cannot be found.")
    return instance


def _require_running(session: Session, instance: Instance) -> None:
    guest = session.get(Guest, instance.id)
    if guest is None or guest.health != Health.HEALTHY:
        raise errors.Unprocessable(f"the database server of instance {instance.id} is not running")
