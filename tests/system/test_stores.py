"""Backups in a store over the network that is cut off, killed or full: done in the end, or a clean error.

CI runs a sample of the steps in which it is killed by a printed seed; ARGOSY_SOAK=1 runs all.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Callable, Iterator

import pytest
from keepers import Keeper
from owners import Owner
from strikes import met, settled, steps

from argosy import errors
from argosy.client.resources import Document
from argosy.stores import deployment
from argosy.stores.base import Store
from argosy.testing import swift_server
from argosy.testing.cables import Cable
from argosy.testing.deployments import Deployment
from argosy.testing.swift_server import KEY, USER, Swift
from argosy.testing.waiting import eventually

ENGINE = "redis"
SOAK = os.environ.get("ARGOSY_SOAK") == "1"
AWAY = 60.0 if SOAK else 5.0
"""seconds that a store is cut off for, or its server gone"""
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE = 2
OPERATIONS = ("create_backup", "create_instance", "delete_backup", "drill_backup")


@pytest.fixture(scope="module")
def swift() -> Iterator[Swift]:
    with swift_server.running() as running:
        running.post("argosy", {}, "PUT")
        yield running


@pytest.fixture(scope="module")
def cable(swift: Swift) -> Iterator[Cable]:
    laid = Cable(swift.ports["proxy"])
    yield laid
    laid.close()


@pytest.fixture(scope="module", params=["s3", "swift"])
def argosy(request: pytest.FixtureRequest, cable: Cable) -> Iterator[Deployment]:
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    url = f"http://127.0.0.1:{cable.port}"
    store = {"kind": request.param, "url": url if request.param == "s3" else f"{url}/auth/v1.0"}
    store |= {"addressing": "path", "patience_seconds": 2.0}
    quick = {"heartbeat_seconds": 1}
    with Deployment(level="root", conductor=quick, backups={"drills": "off"}, store=store) as running:
        keep_credentials(running, ("access_key", "secret_key") if request.param == "s3" else ("user", "password"))
        yield running


def keep_credentials(argosy: Deployment, names: tuple[str, str]) -> None:
    keys = argosy.settings.keys
    file, owner = keys / "store.toml", keys.stat()
    file.touch(mode=0o600)
    os.chown(file, owner.st_uid, owner.st_gid)
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in zip(names, (USER, KEY), strict=True)))


@pytest.fixture
def keeper(owner: Owner, cable: Cable, swift: Swift) -> Iterator[Keeper]:
    yield Keeper(owner)
    cable.mend()
    swift.start()
    for each in owner.client.session.get("/backups")["backups"]:
        with contextlib.suppress(errors.NotFound):  # it goes already
            owner.client.session.delete(f"/backups/{each['id']}")
    eventually(lambda: not owner.client.session.get("/backups")["backups"], within=60)


@pytest.fixture
def instance(keeper: Keeper) -> Document:
    made = keeper.owner.ready(ENGINE)
    keeper.write(made, ENGINE, 100)
    return made


def store_of(argosy: Deployment) -> Store:
    return deployment.store(argosy.settings)


def objects(argosy: Deployment, backup: Document) -> list[str]:
    return [key for key in store_of(argosy).list("database_backups/") if backup["id"] in key]


def test_a_backup_goes_there_and_back(argosy: Deployment, keeper: Keeper, instance: Document) -> None:
    assert "argosy/" in argosy.cli("store", "check").stdout
    backup = keeper.backed_up(instance)
    assert objects(argosy, backup)
    assert keeper.rows(keeper.restored(backup, ENGINE), ENGINE) == 100
    keeper.delete(backup["id"])
    eventually(lambda: objects(argosy, backup) == [], within=60)


def test_a_cut_cable_is_waited_for(argosy: Deployment, keeper: Keeper, instance: Document, cable: Cable) -> None:
    """While the backup is taken, and while it is restored."""
    cable.cut()
    assert argosy.cli("store", "check", check=False).returncode == 5
    begun = keeper.begin(instance)
    threading.Timer(AWAY, cable.mend).start()
    backup = keeper.complete(begun["id"])
    made = keeper.restoring(backup, ENGINE)
    cable.cut()
    threading.Timer(AWAY, cable.mend).start()
    assert keeper.owner.ended(made["id"])["state"] == "done"
    assert keeper.rows(keeper.owner.healthy(made["id"]), ENGINE) == 100


def test_a_killed_server_is_waited_for(argosy: Deployment, keeper: Keeper, instance: Document, swift: Swift) -> None:
    begun = keeper.begin(instance)
    swift.kill()
    back = swift.start_in(AWAY)
    backup = keeper.complete(begun["id"])
    back.join()
    assert keeper.rows(keeper.restored(backup, ENGINE), ENGINE) == 100
    swift.kill()
    keeper.delete(backup["id"])
    swift.start_in(AWAY).join()
    eventually(lambda: objects(argosy, backup) == [], within=120)


def test_a_full_store_fails_the_backup_and_says_so(
    argosy: Deployment, keeper: Keeper, instance: Document, swift: Swift
) -> None:
    keeper.backed_up(instance)  # so that the container is there
    swift.limit("argosy", 1)
    try:
        ended = keeper.ended(keeper.begin(instance)["id"])
    finally:
        swift.limit("argosy", None)
    assert ended["status"] == "FAILED"
    assert "make room" in ended["fault"]["message"]
    eventually(lambda: objects(argosy, ended) == [], within=60)
    assert keeper.rows(keeper.restored(keeper.backed_up(instance), ENGINE), ENGINE) == 100


def matrix() -> list[tuple[str, str]]:
    """(operation, step): all, or a sample of them."""
    cells = [(operation, step) for operation in OPERATIONS for step in steps(operation)]
    return cells if SOAK else random.Random(SEED).sample(cells, SAMPLE)


@pytest.mark.parametrize(("operation", "step"), matrix())
def test_a_server_that_is_killed_in_a_step(
    argosy: Deployment, keeper: Keeper, instance: Document, swift: Swift, operation: str, step: str
) -> None:
    print(f"ARGOSY_SEED={SEED}")
    backup = None if operation == "create_backup" else keeper.backed_up(instance)
    with met(argosy, operation, step, lambda: (swift.kill(), swift.start_in(AWAY).join())):
        TRIED[operation](argosy, keeper, backup or instance)
    assert keeper.rows(keeper.owner.healthy(instance["id"]), ENGINE) == 100
    again = keeper.backed_up(instance)
    assert keeper.rows(keeper.restored(again, ENGINE, "again"), ENGINE) == 100


def take(argosy: Deployment, keeper: Keeper, instance: Document) -> None:
    ended = keeper.ended(keeper.begin(instance)["id"])
    if ended["status"] == "FAILED":
        assert ended["fault"]["message"]
        eventually(lambda: reachable(lambda: objects(argosy, ended) == []), within=60)


def restore(_argosy: Deployment, keeper: Keeper, backup: Document) -> None:
    made = keeper.restoring(backup, ENGINE)
    if settled(keeper.owner, made["id"]) != "done":
        assert keeper.owner.client.instances.get(made["id"])["fault"]["message"]
    else:
        assert keeper.rows(keeper.owner.healthy(made["id"]), ENGINE) == 100


def delete(argosy: Deployment, keeper: Keeper, backup: Document) -> None:
    keeper.delete(backup["id"])
    eventually(lambda: reachable(lambda: objects(argosy, backup) == []), within=120)


def drill(_argosy: Deployment, keeper: Keeper, backup: Document) -> None:
    """A store that is away says nothing of a backup."""
    keeper.owner.client.session.post(f"/backups/{backup['id']}/drills")
    eventually(lambda: keeper.get(backup["id"])["proof"]["state"] != "proving", within=180)
    assert keeper.get(backup["id"])["proof"]["state"] in {"restorable", "unproven"}


def reachable(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except errors.Unavailable:
        return False


TRIED: dict[str, Callable[[Deployment, Keeper, Document], None]] = {
    "create_backup": take,
    "create_instance": restore,
    "delete_backup": delete,
    "drill_backup": drill,
}
