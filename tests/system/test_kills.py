"""SIGKILL of each process at each step of each operation: it ends as if nothing had happened, or with its cause.

CI runs a sample by a printed seed; ARGOSY_SOAK=1 runs the whole matrix, three times over.
"""

from __future__ import annotations

import itertools
import os
import random

import pytest
from owners import ENGINES, Owner, answering
from sqlalchemy import select
from strikes import CONTROL, GUEST, settled, steps, struck

from argosy.db.tables import Instance, Run
from argosy.testing import machines
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

SOAK = os.environ.get("ARGOSY_SOAK") == "1"
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE, TIMES = 14, 3

OPERATIONS = ("create_instance", "restart_instance", "delete_instance")
VICTIMS = (*CONTROL, *GUEST)


def matrix() -> list[tuple[str, str, str, str]]:
    """(operation, step, victim, engine): the whole, or a sample of it."""
    cells = [
        (operation, step, victim)
        for operation in OPERATIONS
        for step, victim in itertools.product(steps(operation), VICTIMS)
    ]
    dice = random.Random(SEED)
    if SOAK:
        return [(*cell, engine) for cell, engine in itertools.product(cells, ENGINES[:TIMES])]
    return [(*cell, dice.choice(ENGINES)) for cell in dice.sample(cells, SAMPLE)]


@pytest.mark.parametrize(("operation", "step", "victim", "engine"), matrix())
def test_killed_in_a_step(
    argosy: Deployment, owner: Owner, operation: str, step: str, victim: str, engine: str
) -> None:
    print(f"ARGOSY_SEED={SEED}")
    if operation == "create_instance":
        with struck(argosy, owner, operation, step, victim):
            owner.insist(lambda: owner.create(engine), lambda: bool(_newest(argosy, operation)))
            instance = _newest(argosy, operation)
            ended = settled(owner, instance)
    else:
        instance = owner.ready(engine)["id"]
        ask = owner.client.instances.restart if operation == "restart_instance" else owner.client.instances.delete
        with struck(argosy, owner, operation, step, victim):
            owner.insist(lambda: ask(instance), lambda: _newest(argosy, operation) == instance)
            ended = settled(owner, instance)
    if operation == "delete_instance":
        eventually(lambda: owner.gone(instance), within=120)
        assert list(machines.pids_of(instance)) == []
    else:
        assert ended == "done"
        if instance not in owner.passwords:  # the answer that told it was lost
            owner.passwords[instance] = owner.client.instances.reset_password(instance)
        owner.answers(owner.healthy(instance), engine)


def _newest(argosy: Deployment, operation: str) -> str:
    """Whose operation of this kind, of an instance that is there, began last."""
    there = select(Run.subject).join(Instance, Instance.id == Run.subject)
    query = there.where(Run.workflow == operation, Instance.deleted.is_(False)).order_by(Run.created.desc())
    if operation == "delete_instance":
        query = select(Run.subject).where(Run.workflow == operation).order_by(Run.created.desc())
    with argosy.database.read() as session:
        return session.scalar(query.limit(1)) or ""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_engine_is_back(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    first = machines.engine_of(instance["id"])
    assert machines.kill(first)
    eventually(lambda: machines.engine_of(instance["id"]) not in {0, first}, within=10)
    owner.answers(instance, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_engine_is_back_with_the_control_plane_down(argosy: Deployment, owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    door = owner.door(instance)
    argosy.down()
    try:
        assert machines.kill(machines.engine_of(instance["id"]))
        answering(door, engine)
    finally:
        argosy.up()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_agent_takes_no_engine_along(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    server, agent = machines.engine_of(instance["id"]), machines.agent_of(instance["id"])
    assert machines.kill(agent)
    eventually(lambda: machines.agent_of(instance["id"]) not in {0, agent}, within=10)
    owner.healthy(instance["id"])
    assert machines.engine_of(instance["id"]) == server


def test_a_whole_guest_that_was_killed_is_brought_back(owner: Owner) -> None:
    """As after a reboot: nothing of it runs any more."""
    instance = owner.ready("postgresql")
    door = owner.door(instance)
    door.ask("CREATE TABLE kept AS SELECT 42 AS it")
    for pid in list(machines.pids_of(instance["id"])):
        machines.kill(pid)
    eventually(lambda: machines.engine_of(instance["id"]), within=60)
    owner.answers(instance, "postgresql")
    assert door.ask("SELECT it FROM kept") == "42"
