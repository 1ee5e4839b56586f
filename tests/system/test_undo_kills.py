"""SIGKILL of each process at each step of a restore in place, an undo, and a backup read from a copy: each ends done or
as it was, with the rows of one or the other, and nothing is left behind.

CI runs a sample by a printed seed; ARGOSY_SOAK=1 runs the whole matrix.
"""

from __future__ import annotations

import itertools
import os
import random

import pytest
from keepers import Keeper
from owners import ENGINES, Owner
from sqlalchemy import func, select
from strikes import CONTROL, GUEST, settled, steps, struck

from argosy.client.resources import Document
from argosy.db.tables import Backup, Run, Snapshot
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import answered, eventually

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
"""redis-py leaves its socket behind when the server is killed in the middle of a handshake"""

SOAK = os.environ.get("ARGOSY_SOAK") == "1"
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE = 4
OPERATIONS = ("restore_in_place", "undo_change")
COPYING = ("copy", "helper", "helper_server", "upload", "put_away")
"""steps of create_backup that others do not have"""


def matrix(operations: dict[str, tuple[str, ...]], sample: int) -> list[tuple[str, str, str, str]]:
    """(operation, step, victim, engine): the whole, or a sample of it."""
    cells = [
        (operation, step, victim)
        for operation, every in operations.items()
        for step, victim in itertools.product(every, (*CONTROL, *GUEST))
    ]
    dice = random.Random(SEED)
    if SOAK:
        return [(*cell, engine) for cell, engine in itertools.product(cells, ENGINES)]
    return [(*cell, dice.choice(ENGINES)) for cell in dice.sample(cells, sample)]


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


@pytest.mark.parametrize(
    ("operation", "step", "victim", "engine"), matrix({each: steps(each) for each in OPERATIONS}, SAMPLE)
)
def test_killed_while_data_become_others(
    keeper: Keeper, argosy: Deployment, operation: str, step: str, victim: str, engine: str
) -> None:
    print(f"ARGOSY_SEED={SEED}")
    owner, instance = keeper.owner, keeper.owner.ready(engine)
    keeper.write(instance, engine, 10)
    backup = keeper.backed_up(instance)
    keeper.write(instance, engine, 10)
    if operation == "undo_change":
        ask(owner, argosy, instance, "restore_in_place", backup)
    with struck(argosy, owner, operation, step, victim):
        ended = ask(owner, argosy, instance, operation, backup)
    there, back = (20, 10) if operation == "undo_change" else (10, 20)
    owner.healthy(instance["id"])
    assert rows(keeper, instance, engine) == (there if ended == "done" else back), ended
    if victim in CONTROL:
        assert ended == "done"
    eventually(lambda: nothing_left(owner, argosy, instance), within=30)


@pytest.mark.parametrize(("operation", "step", "victim", "engine"), matrix({"create_backup": COPYING}, 2))
def test_killed_while_a_copy_is_read(
    keeper: Keeper, argosy: Deployment, operation: str, step: str, victim: str, engine: str
) -> None:
    """The engine goes on, whoever held it; what is COMPLETED restores, and what is FAILED has left nothing."""
    print(f"ARGOSY_SEED={SEED}")
    owner, instance = keeper.owner, keeper.owner.ready(engine)
    keeper.write(instance, engine, 10)
    with struck(argosy, owner, operation, step, victim, guest=instance["id"]):
        backup = begun(keeper, argosy, instance)
        settled(owner, backup, operation)
    ended = keeper.get(backup)
    owner.healthy(instance["id"])
    assert rows(keeper, instance, engine) == 10
    keeper.write(instance, engine, 5)
    if ended["status"] == "COMPLETED":
        assert keeper.rows(keeper.restored(ended, engine), engine) == 10
    eventually(lambda: nothing_left(owner, argosy, instance), within=30)


def rows(keeper: Keeper, instance: Document, engine: str) -> int:
    """Once its server answers: nobody may have heard yet that it was killed."""
    (found,) = eventually(lambda: (answered(lambda: keeper.rows(instance, engine)),), within=60)
    return found


def begun(keeper: Keeper, argosy: Deployment, instance: Document) -> str:
    """The id of a backup that is asked for until it is there: its answer may be lost."""

    def look() -> str:
        with argosy.database.read() as session:
            return session.scalar(select(Backup.id).where(Backup.instance_id == instance["id"])) or ""

    keeper.owner.insist(lambda: keeper.begin(instance, strategy="snapshot"), lambda: bool(look()))
    return look()


def ask(owner: Owner, argosy: Deployment, instance: Document, operation: str, backup: Document) -> str:
    action = {"undo": {}} if operation == "undo_change" else {"restore": {"backup": backup["id"]}}
    query = select(func.count()).select_from(Run).where(Run.subject == instance["id"], Run.workflow == operation)

    def begun() -> bool:
        with argosy.database.read() as session:
            return bool(session.scalar(query))

    owner.insist(lambda: owner.client.instances.act(instance["id"], action), begun)
    return settled(owner, instance["id"], operation)


def nothing_left(owner: Owner, argosy: Deployment, instance: Document) -> bool:
    """Of copies, but what can be gone back to; of guests, but those of instances."""
    kept = {each["id"] for each in owner.client.instances.undos(instance["id"])}
    instances = {each["id"] for each in owner.client.instances.list()}
    with argosy.database.read() as session:
        assert set(session.scalars(select(Snapshot.id))) == kept
    assert {path.stem for path in (argosy.state / "pool" / "snapshots").glob("*.img")} == kept
    assert {path.stem for path in (argosy.state / "pool" / "volumes").glob("*.img")} <= instances
    return True
