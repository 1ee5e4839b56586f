"""SIGKILL of a process in each step of taking, restoring and deleting a backup: it ends as done, or as an error that
says why and leaves nothing in the store, and the next one works.

CI runs a sample by a printed seed; ARGOSY_SOAK=1 runs the whole matrix.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from keepers import Keeper
from owners import ENGINES, Owner
from strikes import settled, steps, struck

from argosy import errors
from argosy.client.resources import Document
from argosy.testing.deployments import Deployment

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
"""redis-py leaves its socket behind when the server is killed in the middle of a handshake"""

SOAK = os.environ.get("ARGOSY_SOAK") == "1"
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE = 5
VICTIMS = {
    "create_backup": ("agent", "taskmanager", "conductor", "engine"),
    "create_instance": ("agent", "taskmanager", "conductor", "init"),
    "delete_backup": ("taskmanager",),
}
COPIED = ("copy", "helper", "helper_server", "put_away")
"""Steps that do something for backups that are read from a copy of the volume only."""
SKIPPED = ("template", "volume", "network", "modules")
"""Steps of a creation that are the same without a backup."""
ROWS = 200

Cell = tuple[str, str, str, str]


def matrix() -> list[Cell]:
    """(operation, step, victim, engine): the whole, or a sample of it."""
    cells = [
        (operation, step, victim, engine)
        for operation, victims in VICTIMS.items()
        for step, victim, engine in itertools.product(steps(operation), victims, ENGINES)
        if step not in SKIPPED and not (engine == "redis" and step in COPIED)
    ]
    return cells if SOAK else random.Random(SEED).sample(cells, SAMPLE)


@pytest.mark.parametrize(("operation", "step", "victim", "engine"), matrix())
def test_killed_in_a_step(
    argosy: Deployment, owner: Owner, operation: str, step: str, victim: str, engine: str
) -> None:
    print(f"ARGOSY_SEED={SEED}")
    keeper = Keeper(owner)
    instance = owner.ready(engine)
    keeper.write(instance, engine, ROWS)
    TRIED[operation](argosy, keeper, instance, engine, step, victim)
    owner.healthy(instance["id"])
    keeper.holds(instance, engine, ROWS)


def take(argosy: Deployment, keeper: Keeper, instance: Document, engine: str, step: str, victim: str) -> None:
    more = {"strategy": "snapshot"} if step in COPIED else {}
    with struck(argosy, keeper.owner, "create_backup", step, victim, guest=instance["id"]):
        begun = insisted(keeper, lambda: keeper.begin(instance, **more), lambda: of(keeper, instance))
        settled(keeper.owner, begun["id"])
    ended = keeper.ended(begun["id"])
    left = objects(argosy, begun["id"])
    if ended["status"] == "FAILED":
        assert ended["fault"]["message"]
        assert left == []
        ended = keeper.backed_up(keeper.owner.healthy(instance["id"]), **more)
    keeper.holds(keeper.restored(ended, engine), engine, ROWS)


def restore(argosy: Deployment, keeper: Keeper, instance: Document, engine: str, step: str, victim: str) -> None:
    backup = keeper.backed_up(instance)
    with struck(argosy, keeper.owner, "create_instance", step, victim):
        made = insisted(keeper, lambda: keeper.restoring(backup, engine), lambda: named(keeper, "r"))
        state = settled(keeper.owner, made["id"])
    if state == "done":
        keeper.holds(keeper.owner.healthy(made["id"]), engine, ROWS)
    else:
        assert keeper.owner.client.instances.get(made["id"])["fault"]["message"]
        keeper.holds(keeper.restored(backup, engine, "again"), engine, ROWS)


def delete(argosy: Deployment, keeper: Keeper, instance: Document, engine: str, step: str, victim: str) -> None:
    backup = keeper.backed_up(instance)
    with struck(argosy, keeper.owner, "delete_backup", step, victim):
        keeper.delete(backup["id"])
        assert settled(keeper.owner, backup["id"]) == "done"
    assert objects(argosy, backup["id"]) == []
    assert engine


TRIED: dict[str, Callable[[Deployment, Keeper, Document, str, str, str], None]] = {
    "create_backup": take,
    "create_instance": restore,
    "delete_backup": delete,
}


def insisted(keeper: Keeper, ask: Callable[[], Document], find: Callable[[], Document | None]) -> Document:
    """What was made, whether or not its answer was lost with the api."""
    found: list[Document] = []

    def there() -> bool:
        found[:] = [each for each in (find(),) if each is not None]
        return bool(found)

    keeper.owner.insist(ask, there)
    return found[0]


def of(keeper: Keeper, instance: Document) -> Document | None:
    """The newest backup of the instance."""
    try:
        found = keeper.owner.client.session.get(f"/instances/{instance['id']}/backups")["backups"]
    except errors.Unavailable:
        return None
    return found[0] if found else None


def named(keeper: Keeper, name: str) -> Document | None:
    try:
        return next((each for each in keeper.owner.client.instances.list() if each["name"] == name), None)
    except errors.Unavailable:
        return None


def objects(argosy: Deployment, backup: str) -> list[Path]:
    """What the store has of it."""
    return [path for path in (argosy.settings.state / "objects").rglob("*") if path.is_file() and backup in str(path)]
