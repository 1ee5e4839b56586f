"""Point-in-time recovery on the real product: any moment between two, and little is lost with a disk."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from owners import ENGINES, Owner, values
from recoverers import WRITE, Recoverer, stamp

from argosy import errors
from argosy.client.resources import Document
from argosy.providers.local.layout import Layout
from argosy.testing import machines
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import SLOWNESS, eventually

SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
CLOCK = 1.5
"""Seconds by which a moment may be missed: MariaDB and Redis note seconds."""
LOSS = 5.0 * SLOWNESS
"""Seconds of acknowledged writes that may go with a disk."""
WARNING = 6.0
DEATHS = list(itertools.product(ENGINES, ("agent", "conductor", "taskmanager")))
CHANCE = random.Random(SEED)
LOST = {
    "postgresql": ("DROP TABLE numbered", "SELECT count(*) FROM numbered"),
    "mariadb": ("DROP TABLE n.numbered", "SELECT COUNT(*) FROM n.numbered"),
}


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    backups = {"log_warning_seconds": WARNING, "log_critical_seconds": 3600.0, "drills": "off"}
    with Deployment(level="root", conductor={"heartbeat_seconds": 1}, backups=backups) as deployment:
        yield deployment


@pytest.mark.parametrize("engine", ENGINES)
def test_moments_of_a_writer_and_the_loss_of_its_disk(argosy: Deployment, owner: Owner, engine: str) -> None:
    writer = Recoverer(owner, engine, owner.ready(engine))
    writer.prepare()
    writer.enable()
    with writer.writing():
        time.sleep(6)  # what is tested is time
        destroy(argosy, writer.instance)
    moment = random.Random(SEED).uniform(writer.written[0] + 1, writer.written[-1] - LOSS / 2)
    found = writer.numbers(writer.at(moment))
    assert found, SEED
    assert abs(writer.written[found - 1] - moment) <= CLOCK, (SEED, moment, found)
    kept = writer.numbers(writer.restored({"at": "latest"}, name="l"))
    assert writer.written[-1] - writer.written[kept - 1] <= LOSS, (kept, len(writer.written))


def destroy(argosy: Deployment, instance: Document) -> None:
    """Everything of the guest is killed, and what it had written is not there any more."""
    layout = Layout(argosy.state)
    for pid in list(machines.pids_of(instance["id"])):
        machines.kill(pid)
    eventually(lambda: not list(machines.pids_of(instance["id"])) and detached(layout, instance["id"]))
    layout.image(instance["id"]).unlink()


def detached(layout: Layout, volume: str) -> bool:
    """Whoever is brought back meanwhile is too late."""
    return subprocess.run(["umount", layout.mount(volume)], capture_output=True, check=False).returncode == 0


LOGGED = "SELECT @@log_bin"


def test_a_log_that_costs_begins_with_one_restart_and_ends_with_the_next(owner: Owner) -> None:
    writer = Recoverer(owner, "mariadb", owner.ready("mariadb"))
    writer.prepare()
    write_on(writer)
    assert writer.door(writer.instance).ask(LOGGED) == "0"
    eventually(lambda: writer.seen()["restart"], within=30)
    before = starts(writer)
    writer.enable()
    assert writer.door(writer.instance).ask(LOGGED) == "1"
    writer.enable(keep_days=3)
    write_on(writer)
    writer.arrived(writer.written[-1])
    eventually(lambda: not writer.seen()["restart"], within=30)
    assert starts(writer) == before + 1
    seen = writer.restored({"at": "latest"})
    assert writer.numbers(seen) == len(writer.written)
    assert writer.door(seen).ask(LOGGED) == "0", "nobody has asked for its log"
    writer.put(enabled=False)
    assert writer.door(writer.instance).ask(LOGGED) == "1", "nothing is restarted for that"
    for action in ("stop", "start"):
        owner.client.instances.act(writer.instance["id"], {action: {}})
        owner.ended(writer.instance["id"])
    owner.healthy(writer.instance["id"])
    assert writer.door(writer.instance).ask(LOGGED) == "0"
    assert writer.numbers(writer.instance) == len(writer.written)


def test_who_wants_it_from_the_first_needs_no_restart(owner: Owner) -> None:
    writer = Recoverer(owner, "mariadb", owner.ready("mariadb", recovery=True))
    assert writer.door(writer.instance).ask(LOGGED) == "1"
    eventually(lambda: writer.seen()["latest"], within=120)
    assert starts(writer) == 1


def write_on(writer: Recoverer) -> None:
    with writer.writing():
        time.sleep(1)  # what is tested is time


def starts(writer: Recoverer) -> float:
    """Of its server so far."""
    return values(writer.owner, writer.instance["id"])["argosy_instance_engine_starts_total"]


def test_what_lies_outside_is_refused_with_what_does_not(owner: Owner) -> None:
    writer = Recoverer(owner, "redis", owner.ready("redis"))
    with pytest.raises(errors.Conflict, match="its log is not archived"):
        writer.restored({"at": stamp(time.time())})
    writer.enable()
    for moment in (time.time() - 3600, time.time() + 3600):
        with pytest.raises(errors.Conflict, match=f"any moment from {writer.seen()['earliest']}"):
            writer.restored({"at": stamp(moment)})
    with pytest.raises(errors.BadRequest, match="must be a time"):
        writer.restored({"at": "yesterday"})
    shown = owner.client.instances.get(writer.instance["id"])["recovery"]
    assert (shown["enabled"], shown["earliest"]) == (True, writer.seen()["earliest"])


def test_a_store_that_is_away_is_told_and_made_up_for(argosy: Deployment, owner: Owner) -> None:
    writer = Recoverer(owner, "redis", owner.ready("redis"))
    writer.enable()
    with away(argosy), writer.writing():
        eventually(lambda: writer.seen()["level"] == "warning", within=60)
        assert writer.seen()["backlog"]["seconds"] > WARNING / 2
    owner.healthy(writer.instance["id"])
    writer.arrived(writer.written[-1])
    eventually(lambda: writer.seen()["level"] == "fine", within=60)
    assert writer.numbers(writer.restored({"at": "latest"})) == len(writer.written)
    told = owner.client.session.get("/events", kind="dbaas.archive_backlog")["events"]
    assert [each["payload"]["level"] for each in told][-2:] in (["warning", "fine"], ["fine", "warning"])


@contextmanager
def away(argosy: Deployment) -> Iterator[None]:
    """The store lets nobody in."""
    objects = argosy.state / "objects"
    mode = objects.stat().st_mode
    objects.chmod(0)
    try:
        yield
    finally:
        objects.chmod(mode)


@pytest.mark.parametrize(("engine", "role"), DEATHS if os.environ.get("ARGOSY_SOAK") else [CHANCE.choice(DEATHS)])
def test_whoever_dies_it_is_restored(argosy: Deployment, owner: Owner, engine: str, role: str) -> None:
    writer = Recoverer(owner, engine, owner.ready(engine))
    writer.prepare()
    writer.enable()
    with writer.writing():
        time.sleep(1)  # what is tested is time
        strike(argosy, role, writer.instance["id"])
        time.sleep(2)
    writer.arrived(writer.written[-1])
    restore = {"instance": writer.instance["id"], "at": "latest"}
    made = owner.create(engine, "r", restore=restore)
    eventually(lambda: role != "agent" or machines.agent_of(made["id"]))
    strike(argosy, role, made["id"])
    owner.ended(made["id"])
    assert writer.numbers(owner.healthy(made["id"])) == len(writer.written)


def strike(argosy: Deployment, role: str, instance: str) -> None:
    if role == "agent":
        machines.kill(machines.agent_of(instance))
    else:
        argosy.kill(role)


def test_a_restore_in_place_begins_another_window_and_loses_none(owner: Owner) -> None:
    writer = Recoverer(owner, "redis", owner.ready("redis"))
    writer.enable()
    with writer.writing():
        time.sleep(3)  # what is tested is time
    writer.arrived(writer.written[-1])
    middle = writer.written[len(writer.written) // 2]
    owner.client.instances.act(writer.instance["id"], {"restore": {"at": stamp(middle)}})
    owner.ended(writer.instance["id"])
    owner.healthy(writer.instance["id"])
    assert abs(writer.written[writer.numbers(writer.instance) - 1] - middle) <= CLOCK
    eventually(lambda: len(writer.seen()["windows"]) == 2, within=120)
    old, new = writer.seen()["windows"]
    assert (old["ended"], new["ended"]) == (True, False)
    assert writer.numbers(writer.at(writer.written[-1])) == len(writer.written)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_table_that_was_dropped_comes_back_by_way_of_a_peek(owner: Owner, engine: str) -> None:
    writer = Recoverer(owner, engine, owner.ready(engine, database="n"), "n")
    writer.prepare()
    writer.enable()
    with writer.writing():
        time.sleep(2)  # what is tested is time
    time.sleep(1.1)  # MariaDB notes seconds
    moment = time.time()
    drop, count = LOST[engine]
    writer.door(writer.instance).ask(drop)
    writer.arrived(time.time())
    seen = writer.restored({"at": stamp(moment)}, name="look", peek=1)
    assert seen["ends_at"] > seen["created"]
    assert writer.numbers(seen) == len(writer.written)
    with pytest.raises(Exception, match=r"(?i)read.only"):
        writer.door(seen).ask(WRITE[engine].format(it=-1))
    asked = {"instance": seen["id"], "database": "n", "tables": ["numbered"]}
    owner.client.instances.act(writer.instance["id"], {"copy_from": asked})
    ended = owner.ended(writer.instance["id"])
    assert ended["state"] == "done", ended
    assert int(writer.door(writer.instance).ask(count)) == len(writer.written)
