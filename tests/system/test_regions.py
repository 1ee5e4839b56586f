"""Two deployments: what the one has backed up is restored by the other, out of the first one's store.

CI restores MariaDB's out of a directory; ARGOSY_SOAK=1 every engine's, also over the network.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from keepers import Keeper
from owners import Owner
from salvors import PASSPHRASE
from strikes import met, settled, struck

from argosy import errors
from argosy.client.backups import Backups
from argosy.client.resources import Document
from argosy.launcher import account
from argosy.stores import deployment
from argosy.testing import swift_server
from argosy.testing.cables import Cable
from argosy.testing.deployments import Deployment
from argosy.testing.swift_server import KEY, USER
from argosy.testing.waiting import eventually

TENANT = "demo@demo"
QUICK: dict[str, dict[str, object]] = {"conductor": {"heartbeat_seconds": 1}, "backups": {"drills": "off"}}
AWAY = 5.0
"""seconds that the region's store is away for"""
ALL = {
    "mariadb": "SELECT SUM(CRC32(CONCAT(id, it))) FROM kept.kept",
    "postgresql": "SELECT md5(string_agg(id || it, ',' ORDER BY id)) FROM kept",
    "redis": "DBSIZE",
}
"""What all rows make together."""
SOAK = os.environ.get("ARGOSY_SOAK") == "1"
TRIED = list(ALL) if SOAK else ["mariadb"]
VICTIMS = ["conductor", "taskmanager", "agent"] if SOAK else ["conductor"]
STORES = ["filesystem", "swift"] if SOAK else ["filesystem"]


@dataclass
class Region:
    """The deployment whose backups are wanted, and its store as the other one reaches it."""

    argosy: Deployment
    told: dict[str, object]
    away: Callable[[], object]
    back: Callable[[], object]


@pytest.fixture(scope="module", params=STORES)
def region(request: pytest.FixtureRequest) -> Iterator[Region]:
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    with in_a_directory() if request.param == "filesystem" else over_the_network() as made:
        yield made


@contextmanager
def in_a_directory() -> Iterator[Region]:
    """Of which its own deployment is told too, and so makes no other while it is away."""
    with tempfile.TemporaryDirectory(prefix="ag-store-", dir="/tmp") as place:
        there, aside, user = Path(place) / "objects", Path(place) / "away", account.ensure()
        there.mkdir()
        for each in (there.parent, there):
            os.chown(each, user.pw_uid, user.pw_gid)
        with Deployment(level="root", **QUICK, store={"path": str(there)}) as running:
            yield Region(running, {"path": str(there)}, lambda: there.rename(aside), lambda: aside.rename(there))


@contextmanager
def over_the_network() -> Iterator[Region]:
    """By a cable of one's own, so that only who reads from afar is cut off."""
    with swift_server.running() as swift:
        swift.post("argosy", {}, "PUT")
        cable, told = Cable(swift.ports["proxy"]), {"kind": "swift", "patience_seconds": 1.0}
        with Deployment(level="root", **QUICK, store={**told, "url": swift.auth_url}) as running:
            keep(running, "store.toml")
            far = {**told, "url": f"http://127.0.0.1:{cable.port}/auth/v1.0"}
            yield Region(running, far, cable.cut, cable.mend)
        cable.close()


def keep(argosy: Deployment, name: str) -> None:
    """What opens that Swift."""
    file, owner = argosy.settings.keys / name, argosy.settings.keys.stat()
    file.touch(mode=0o600)
    os.chown(file, owner.st_uid, owner.st_gid)
    file.write_text(f'user = "{USER}"\npassword = "{KEY}"\n')


@pytest.fixture(scope="module")
def theirs(region: Region) -> Deployment:
    return region.argosy


@pytest.fixture(scope="module")
def ours(region: Region) -> Iterator[Deployment]:
    """Whose settings name the other one's store, and whose project there has another id here."""
    with Deployment(level="root", **QUICK) as running:
        mapped = f'"{project(region.argosy)}" = "{project(running)}"'
        running.down()
        with (running.state / "argosy.toml").open("a") as settings:
            told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in region.told.items())
            settings.write(f"\n[regions.north]\n{told}[regions.north.projects]\n{mapped}\n")
            settings.write('[regions.south]\nkind = "tape"\n')
        keep(running, "region-north.toml")
        running.up()
        yield running


def project(argosy: Deployment) -> str:
    """Its tenant's id."""
    return argosy.client(TENANT).session.endpoint.rpartition("/")[2]


@pytest.fixture
def there(theirs: Deployment) -> Iterator[Keeper]:
    yield from keeping(theirs)


@pytest.fixture
def here(ours: Deployment) -> Iterator[Keeper]:
    yield from keeping(ours)


def keeping(argosy: Deployment) -> Iterator[Keeper]:
    owner = Owner(argosy, argosy.client(TENANT), {})
    yield Keeper(owner)
    for each in list(owner.client.instances.list()):
        owner.delete(each["id"])


def registered(keeper: Keeper, backup: Document, engine: str) -> Document:
    session, name = keeper.owner.client.session, backup["datastore"]["version"]
    [version] = [each for each in session.get(f"/datastores/{engine}/versions")["versions"] if each["name"] == name]
    return Backups(session).register("theirs", backup["locationRef"], version["id"], 1)


def summed(keeper: Keeper, instance: Document, engine: str) -> str:
    return keeper.owner.door(instance).ask(ALL[engine])


def chain(keeper: Keeper, engine: str) -> tuple[Document, str]:
    """The last of a chain, and what its rows make together."""
    instance = keeper.owner.ready(engine)
    keeper.write(instance, engine, 100)
    backup = keeper.backed_up(instance)
    if engine != "redis":
        keeper.write(instance, engine, 10)
        backup = keeper.backed_up(instance, "more", parent_id=backup["id"])
    told = summed(keeper, instance, engine)
    keeper.write(instance, engine, 5)
    return backup, told


def give(theirs: Deployment, ours: Deployment) -> None:
    """The escrow of the one's master key to the other."""
    passphrase, escrow = theirs.home / "passphrase", theirs.home / "escrow"
    passphrase.write_text(PASSPHRASE + "\n")
    if not escrow.exists():
        theirs.cli("keys", "export", str(escrow), "--passphrase-file", str(passphrase))
    ours.cli("keys", "import", str(escrow), "--passphrase-file", str(passphrase))


def objects(argosy: Deployment) -> dict[str, int]:
    return dict(deployment.store(argosy.settings).sizes(""))


@pytest.mark.parametrize("engine", TRIED)
def test_what_the_one_took_the_other_restores(
    theirs: Deployment, ours: Deployment, there: Keeper, here: Keeper, engine: str
) -> None:
    """The one being down meanwhile, and nothing in its store changed."""
    backup, rows = chain(there, engine)
    if not (theirs.home / "escrow").exists():
        with pytest.raises(errors.BadRequest, match="argosy keys import"):
            registered(here, backup, engine)
    give(theirs, ours)
    theirs.down()
    try:
        before = objects(theirs)
        seen = registered(here, backup, engine)
        assert (seen["region"], seen["status"]) == ("north", "RESTORED")
        restored = here.restored(seen, engine)
        assert summed(here, restored, engine) == rows
        proven(here, seen["id"])
        again = here.backed_up(restored, "ours")
        assert again["region"] is None
        here.delete(seen["id"])
        eventually(lambda: forgotten(here, seen["id"]), within=60)
        assert objects(theirs) == before
    finally:
        theirs.up()


def test_another_project_does_not_reach_it(theirs: Deployment, ours: Deployment, there: Keeper, here: Keeper) -> None:
    give(theirs, ours)
    instance = there.owner.ready("redis")
    there.write(instance, "redis", 10)
    backup = there.backed_up(instance)
    stranger = Keeper(Owner(theirs, ours.client(), {}))  # an administrator of ours may, as one of any project may not
    assert registered(stranger, backup, "redis")["region"] == "north"
    mine = here.backed_up(here.owner.ready("redis"))
    with pytest.raises(errors.BadRequest):
        registered(here, {**backup, "locationRef": backup["locationRef"].replace(project(theirs), "0" * 32)}, "redis")
    with pytest.raises(errors.BadRequest):
        registered(there, mine, "redis")


def test_a_store_that_goes_away_meanwhile(region: Region, ours: Deployment, there: Keeper, here: Keeper) -> None:
    """It is waited for, and what is asked for then is told why it is not done."""
    give(region.argosy, ours)
    backup, rows = chain(there, "mariadb")
    seen = registered(here, backup, "mariadb")
    gone, back = threading.Event(), threading.Timer(AWAY, region.back)

    def away() -> None:
        region.away()
        back.start()
        gone.set()

    with met(ours, "create_instance", "server", away):
        restoring = here.restoring(seen, "mariadb")
        assert gone.wait(60)
        with pytest.raises(errors.Unavailable, match="region north"):
            registered(here, backup, "mariadb")
    assert here.owner.ended(restoring["id"])["state"] == "done"
    back.join()
    assert summed(here, here.owner.healthy(restoring["id"]), "mariadb") == rows


def test_killed_while_it_is_restored(theirs: Deployment, ours: Deployment, there: Keeper, here: Keeper) -> None:
    """Also over data that are there, with which the passwords become those of the backup."""
    give(theirs, ours)
    backup, rows = chain(there, "mariadb")
    seen = registered(here, backup, "mariadb")
    for victim in VICTIMS:
        with struck(ours, here.owner, "create_instance", "data", victim):
            restoring = here.restoring(seen, "mariadb", victim)
            assert settled(here.owner, restoring["id"]) == "done"
        restored = here.owner.healthy(restoring["id"])
        assert summed(here, restored, "mariadb") == rows
    here.write(restored, "mariadb", 3)
    with struck(ours, here.owner, "restore_in_place", "load", VICTIMS[0]):
        here.owner.client.session.post(f"/instances/{restored['id']}/action", {"restore": {"backup": seen["id"]}})
        assert settled(here.owner, restored["id"], "restore_in_place") == "done"
    here.owner.passwords[restored["id"]] = there.owner.passwords[backup["instance_id"]]
    assert summed(here, here.owner.healthy(restored["id"]), "mariadb") == rows


def proven(keeper: Keeper, backup: str) -> None:
    keeper.owner.argosy.cli("backup", "prove", backup)

    def look() -> bool:
        assert keeper.get(backup)["proof"]["state"] == "restorable"
        return True

    eventually(look, within=120)


def forgotten(keeper: Keeper, backup: str) -> bool:
    try:
        keeper.get(backup)
    except errors.NotFound:
        return True
    raise AssertionError(backup)
