"""Instances whose database server can be asked, and asking it while a client waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Request
from argosy.api.v1 import instance_rows
from argosy.db.tables import Guest, Instance, Run
from argosy.engines.base import Capability, Engine
from argosy.guest import calls
from argosy.model.guest import Health
from argosy.workflows import offers


@dataclass(frozen=True)
class Asked:
    """A running instance and what its engine is."""

    instance: Instance
    engine: Engine


def running(session: Session, request: Request, *needs: Capability) -> Asked:
    """The instance that the path names. Raises NotFound, Forbidden, NotSupported, Unprocessable."""
    instance = instance_rows.one(session, request)
    engine = offers.get(session, instance.version_id).engine
    for each in needs:
        engine.require(each)
    require_running(session, instance)
    return Asked(instance, engine)


def require_running(session: Session, instance: Instance) -> None:
    guest = session.get(Guest, instance.id)
    if guest is None or guest.health != Health.HEALTHY:
        raise errors.Unprocessable(f"the database server of instance {instance.id} is not running")


@contextmanager
def seat(request: Request) -> Iterator[None]:
    """For a request that waits for a guest. Raises Unavailable when too many do."""
    with request.services.bell.seat() as seated:
        if not seated:
            raise errors.Unavailable("too many requests wait for guests already: try again")
        yield


def ask(request: Request, guest: str, verb: str, **arguments: Any) -> dict[str, Any]:
    """The guest's answer, in a seat. Raises GuestSilent after three seconds, or what the guest says."""
    services = request.services
    return calls.call(services.database, services.bell, guest, verb, **arguments)


def outcome(request: Request, run_id: str, seconds: float) -> bool:
    """Whether the operation has ended in time. Raises BadRequest for what went wrong in the guest, as Trove does."""
    bell = request.services.bell
    state, fault = bell.until(lambda: _state(request, run_id), lambda seen: seen[0] != "active", seconds)
    if state in ("failed", "cancelled"):
        raise errors.BadRequest(fault or "the operation was cancelled")
    return state == "done"


def late(seconds: float) -> errors.BadRequest:
    """For an operation without which there is nothing to answer. It goes on."""
    return errors.BadRequest(f"the guest did not answer within {seconds:g} s: look at the instance's operations")


def _state(request: Request, run_id: str) -> tuple[str, str]:
    with request.services.database.read() as session:
        return session.execute(select(Run.state, Run.fault).where(Run.id == run_id)).one()
