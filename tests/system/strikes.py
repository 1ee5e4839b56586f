"""Kill a process of the product at the moment when an operation is in one of its steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from owners import Owner
from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.testing import machines
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually
from argosy.workflows.registry import WORKFLOWS

CONTROL = ("api", "taskmanager", "conductor", "helper", "supervisor")
GUEST: dict[str, Callable[[str], int]] = {
    "agent": machines.agent_of,
    "engine": machines.engine_of,
    "init": machines.init_of,
}


def steps(operation: str) -> tuple[str, ...]:
    return tuple(WORKFLOWS[operation].steps)


def settled(owner: Owner, instance: str, operation: str = "") -> str:
    """How the newest operation (of this kind, if one is named) ended, with the api dying meanwhile or not."""

    def look() -> str:
        newest = select(Run.workflow, Run.step, Run.state, Run.fault, Run.note).where(Run.subject == instance)
        newest = newest.where(Run.workflow == operation) if operation else newest
        with owner.argosy.database.read() as session:
            workflow, step, state, fault, note = (
                session.execute(newest.order_by(Run.created.desc())).first() or ("",) * 5
            )
        assert state not in {"", "active"}, f"{workflow} in {step}: {note}"
        return f"{state} {fault}".strip()

    return eventually(look, within=150, every=0.1)


@contextmanager
def struck(
    argosy: Deployment, owner: Owner, operation: str, step: str, victim: str, *, guest: str = ""
) -> Iterator[None]:
    """Kill the victim once, as soon as an operation of this kind is seen in this step. `guest`: whose processes are
    meant, where the operation is not about an instance.
    """
    stop = threading.Event()
    killer = threading.Thread(target=_strike, args=(argosy, operation, step, victim, guest, stop))
    killer.start()
    try:
        yield
    finally:
        stop.set()
        killer.join()
    eventually(lambda: set(argosy.pids) >= set(CONTROL), within=60)
    eventually(lambda: owner.reaches(owner.client.datastores), within=60)


def _strike(argosy: Deployment, operation: str, step: str, victim: str, guest: str, stop: threading.Event) -> None:
    database = argosy.database
    try:
        while not stop.is_set():
            subject = _in_step(database, operation, step)
            if subject and _hit(argosy, victim, guest or subject):
                return
            time.sleep(0.001)
    finally:
        database.dispose()


@contextmanager
def met(argosy: Deployment, operation: str, step: str, act: Callable[[], object]) -> Iterator[None]:
    """Do something to what stands outside, once, as soon as an operation of this kind is seen in this step. Leaves when
    it has been done, or when there was no such step.
    """
    stop = threading.Event()

    def wait() -> None:
        database = argosy.database
        while not stop.is_set():
            if _in_step(database, operation, step):
                act()
                break
            time.sleep(0.001)
        database.dispose()

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
    finally:
        stop.set()
        waiting.join()


def _in_step(database: Database, operation: str, step: str) -> str:
    """Whose operation of this kind is in this step, or past it: steps may be faster than we look."""
    later = steps(operation)[steps(operation).index(step) :]
    with database.read() as session:
        return (
            session.scalar(
                select(Run.subject).where(Run.workflow == operation, Run.step.in_(later), Run.state == "active")
            )
            or ""
        )


def _hit(argosy: Deployment, victim: str, instance: str) -> bool:
    """True once it was hit, or when there is nobody to hit in this step."""
    if victim in GUEST:
        return machines.kill(GUEST[victim](instance))
    return victim in argosy.pids and bool(argosy.kill(victim))
