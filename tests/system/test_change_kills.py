"""SIGKILL of a process in each step of a change of TLS, of a configuration, and of the restart that brings one: it ends
well, it is as was asked for, and no row that was acknowledged to a client writing all the while is missing.

CI runs a sample by a printed seed; ARGOSY_SOAK=1 runs the whole matrix.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from owners import ENGINES, Owner
from sqlalchemy import func, select
from strikes import settled, steps, struck
from writers import Writer

from argosy import errors
from argosy.client.configurations import Configurations
from argosy.db.tables import Run
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
"""redis-py leaves its socket behind when the server is killed in the middle of a handshake"""

SOAK = os.environ.get("ARGOSY_SOAK") == "1"
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE = 4
VICTIMS = ("agent", "taskmanager", "engine")
LATE = {
    "postgresql": ("max_connections", 33, "SHOW max_connections"),
    "mariadb": ("back_log", 77, "SELECT @@global.back_log"),
}
"""What only a restart brings, and how a server tells it."""

Cell = tuple[str, str, str, str]


def matrix() -> list[Cell]:
    """(operation, step, victim, engine): the whole, or a sample of it."""
    engines = {"change_tls": ENGINES, "configure_instance": tuple(LATE), "restart_instance": tuple(LATE)}
    cells = [
        (operation, step, victim, engine)
        for operation, among in engines.items()
        for step, victim, engine in itertools.product(steps(operation), VICTIMS, among)
    ]
    return cells if SOAK else random.Random(SEED).sample(cells, SAMPLE)


@pytest.mark.parametrize(("operation", "step", "victim", "engine"), matrix())
def test_killed_in_a_step_under_a_writer(
    argosy: Deployment, owner: Owner, operation: str, step: str, victim: str, engine: str
) -> None:
    print(f"ARGOSY_SEED={SEED}")
    instance = owner.ready(engine)["id"]
    ask, wanted = CHANGES[operation](owner, instance, engine)
    writer = Writer(owner.door(owner.client.instances.get(instance)), engine)
    with writer.writing(), struck(argosy, owner, operation, step, victim):
        begun = count(argosy, instance, operation)
        owner.insist(ask, lambda: count(argosy, instance, operation) > begun)
        assert settled(owner, instance, operation) == "done"
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    writer.check()
    eventually(wanted, within=60)


Change = tuple[Callable[[], None], Callable[[], object]]
"""What asks for it, and what must be so then."""


def tls(owner: Owner, instance: str, _engine: str) -> Change:
    """Another certificate is shown."""
    shown = owner.client.instances.tls(instance)["certificate"]["payload"]

    def ask() -> None:
        with suppress(errors.Rejected):  # the guest has answered too late, or is on its way back
            owner.client.instances.change_tls(instance, enable=True, mode="enforced", container_ref="builtin")

    return ask, lambda: owner.client.instances.tls(instance)["certificate"]["payload"] != shown


def configuration(owner: Owner, instance: str, engine: str) -> Change:
    """The server has it, once somebody has restarted it."""
    name, value, question = LATE[engine]
    groups = Configurations(owner.client.session)
    group = groups.create("late", engine, "", {name: value}, "")["id"]

    def wanted() -> bool:
        if owner.client.instances.get(instance)["status"] == "RESTART_REQUIRED":
            owner.client.instances.restart(instance)
        owner.ended(instance)
        return has(owner, instance, question, value)

    return lambda: groups.attach(instance, group), wanted


def restart(owner: Owner, instance: str, engine: str) -> Change:
    """The server has what waited for the restart."""
    _name, value, question = LATE[engine]
    attach, _ = configuration(owner, instance, engine)
    attach()
    owner.ended(instance)
    return lambda: owner.client.instances.restart(instance), lambda: has(owner, instance, question, value)


CHANGES: dict[str, Callable[[Owner, str, str], Change]] = {
    "change_tls": tls,
    "configure_instance": configuration,
    "restart_instance": restart,
}


def has(owner: Owner, instance: str, question: str, value: int) -> bool:
    assert owner.door(owner.healthy(instance)).ask(question) == str(value)
    return True


def count(argosy: Deployment, instance: str, operation: str) -> int:
    query = select(func.count()).select_from(Run).where(Run.subject == instance, Run.workflow == operation)
    with argosy.database.read() as session:
        return session.scalar(query) or 0
