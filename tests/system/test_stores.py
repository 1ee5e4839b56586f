"""Backups in a store over the network that is cut off, killed or full: done in the end, or a clean error."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import pytest
from keepers import Keeper
from owners import Owner

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
AWAY = 5.0
"""Seconds."""


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
