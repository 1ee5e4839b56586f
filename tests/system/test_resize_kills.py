"""SIGKILL of each process at each step of a resize, a rebuild, a stop: it ends well, and no row that was acknowledged
to a client writing all the while is missing.

CI runs a sample by a printed seed; ARGOSY_SOAK=1 runs the whole matrix.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

import pytest
from owners import ENGINES, Owner
from sqlalchemy import func, select
from strikes import CONTROL, GUEST, settled, steps, struck
from writers import Writer

from argosy.db.tables import Run
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
"""redis-py leaves its socket behind when the server is killed in the middle of a handshake"""

SOAK = os.environ.get("ARGOSY_SOAK") == "1"
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE = 6

ACTIONS: dict[str, dict[str, Any]] = {
    "resize_flavor": {"resize": {"flavorRef": "1"}},
    "resize_volume": {"resize": {"volume": {"size": 2}}},
    "rebuild_instance": {"rebuild": {}},
}
VICTIMS = (*CONTROL, *GUEST)


def matrix() -> list[tuple[str, str, str, str]]:
    """(operation, step, victim, engine): the whole, or a sample of it."""
    cells = [
        (operation, step, victim)
        for operation in ACTIONS
        for step, victim in itertools.product(steps(operation), VICTIMS)
    ]
    dice = random.Random(SEED)
    if SOAK:
        return [(*cell, engine) for cell, engine in itertools.product(cells, ENGINES)]
    return [(*cell, dice.choice(ENGINES)) for cell in dice.sample(cells, SAMPLE)]


@pytest.mark.parametrize(("operation", "step", "victim", "engine"), matrix())
def test_killed_in_a_step_under_a_writer(
    argosy: Deployment, owner: Owner, operation: str, step: str, victim: str, engine: str
) -> None:
    print(f"ARGOSY_SEED={SEED}")
    instance = owner.ready(engine)
    name = instance["id"]
    writer = Writer(owner.door(instance), engine)
    with writer.writing(), struck(argosy, owner, operation, step, victim):
        owner.insist(lambda: _ask(owner, name, operation), lambda: _begun(argosy, name, operation))
        ended = settled(owner, name, operation)
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    assert ended == "done"
    owner.healthy(name)
    writer.check()


def _ask(owner: Owner, instance: str, operation: str) -> None:
    owner.client.session.post(f"/instances/{instance}/action", ACTIONS[operation])


def _begun(argosy: Deployment, instance: str, operation: str) -> bool:
    query = select(func.count()).select_from(Run).where(Run.subject == instance, Run.workflow == operation)
    with argosy.database.read() as session:
        return bool(session.scalar(query))
