"""What a flavor and a volume promise is held to: memory, processors and size, on real servers."""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from owners import ENGINES, Owner, answering

from argosy.providers.local import cgroups
from argosy.testing import machines
from argosy.testing.connections import Door
from argosy.testing.waiting import eventually

MIB = 1 << 20
LIMITS = {"memory": ("memory.limit_in_bytes", "memory.max"), "cpu": ("cpu.cfs_quota_us", "cpu.max")}
"""Control files of version 1 and 2."""
GREEDY = "SELECT length(repeat('x', 1000000000) || repeat('y', 10))"
BUSY = "SELECT count(*) FROM generate_series(1, 100000000)"
BEGIN = {
    "postgresql": "CREATE TABLE filling (it text); ALTER TABLE filling ALTER it SET STORAGE EXTERNAL",
    "mariadb": "CREATE TABLE shop.filling (it longtext)",
}
LOAD = {
    "postgresql": "INSERT INTO filling SELECT repeat(md5(random()::text), 32768)",
    "mariadb": "INSERT INTO shop.filling VALUES (repeat(md5(rand()), 32768))",
    "redis": f"APPEND filling {'x' * 50_000}",
}
COUNT = {
    "postgresql": "SELECT count(*) FROM filling",
    "mariadb": "SELECT count(*) FROM shop.filling",
    "redis": "STRLEN filling",
}
NO_MORE = r"(?i)no space left|is full|lost connection|closed|network error"
"""MariaDB may abort when it cannot even undo (InnoDB), Redis ends rather than acknowledge what is not on the
disk: each is back at once.
"""
REFUSED = r"(?i)no space left"
"""What PostgreSQL says while it runs on. On a busy disk its log may outgrow `max_wal_size`, which is a soft limit (its
manual, 30.5), and take the last room before a table does.
"""
WAITS = "it waits"
"""For room in MariaDB's binary log every commit waits, and looks once a minute whether there is some."""
ROOM = {"postgresql": 280 * MIB, "mariadb": 40 * MIB, "redis": 8 * MIB}
"""Left of the volume to be filled by statements: a whole gigabyte takes a minute."""


def limit(instance: str, controller: str) -> str:
    """Of the control group that the server's own process is in."""
    found = cgroups.here("").controllers[controller]
    for line in Path(f"/proc/{machines.engine_of(instance)}/cgroup").read_text().splitlines():
        _, names, group = line.split(":", 2)
        if controller in names.split(",") or (found.unified and not names):
            return (found.mount / group.lstrip("/") / LIMITS[controller][found.unified]).read_text().split()[0]
    raise AssertionError(f"the server is in no group of {controller}")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("flavor", ["1", "4"])
def test_the_server_is_in_a_group_with_the_flavors_limits(owner: Owner, engine: str, flavor: str) -> None:
    instance = owner.ready(engine, flavor=flavor)["id"]
    promised = owner.argosy.settings.flavor(flavor)
    assert int(limit(instance, "memory")) == promised.ram * MIB
    assert int(limit(instance, "cpu")) == promised.vcpus * cgroups.PERIOD


def test_no_statement_gets_more_memory_than_was_paid_for(owner: Owner) -> None:
    """It is the greedy one that ends: the server is back by itself, and its data are all there."""
    instance = owner.ready("postgresql", flavor="1")
    door = owner.door(instance)
    door.ask("CREATE TABLE kept AS SELECT 42 AS it")
    with pytest.raises(Exception, match=r"(?i)network|closed|reset|memory|terminat|eof"):
        door.ask(GREEDY)
    answering(door, "postgresql")
    assert door.ask("SELECT it FROM kept") == "42"
    owner.healthy(instance["id"])


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor is no more than was paid for")
def test_no_server_gets_more_of_the_processors_than_was_paid_for(owner: Owner) -> None:
    instance = owner.ready("postgresql", flavor="1")
    with busy(owner.door(instance), 3):
        eventually(lambda: burnt(instance["id"]) > 1)
        before, begun = burnt(instance["id"]), time.monotonic()
        eventually(lambda: time.monotonic() - begun > 3, every=0.5)
        share = (burnt(instance["id"]) - before) / (time.monotonic() - begun)
    assert share < 1.2


@contextmanager
def busy(door: Door, sessions: int) -> Iterator[None]:
    """So many at once have the server work for longer than the block takes."""

    def work() -> None:
        with suppress(Exception):  # it is ended from outside
            door.ask(BUSY)

    threads = [threading.Thread(target=work) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        door.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%generate_series%'"
            " AND pid != pg_backend_pid()"
        )
        for thread in threads:
            thread.join()


def burnt(instance: str) -> float:
    """Seconds of processors that all processes of the guest have had (proc(5), stat)."""
    ticks = 0
    for pid in machines.pids_of(instance):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("engine", "recovery"), [*((each, False) for each in ENGINES), ("mariadb", True)])
def test_a_full_volume_stops_writing_and_nothing_else(owner: Owner, engine: str, recovery: bool) -> None:
    """What was acknowledged can be read all the while, and the owner is told. With MariaDB's log there are two that
    want the room.
    """
    more = {"database": "shop"} if engine == "mariadb" else {}
    instance = owner.ready(engine, recovery=recovery, **more)
    door = owner.door(instance)
    if engine in BEGIN:
        door.ask(BEGIN[engine])
    with much(owner.argosy.state / "mounts" / instance["id"], leaving=ROOM[engine]):
        patience = 30.0 if recovery else 240.0
        said = filled(door, engine, patience)
        assert re.search(NO_MORE, said) or (recovery and said == WAITS), said
        if engine == "postgresql" and not re.search(REFUSED, said):
            down_for_its_log(owner, instance["id"])
        else:
            answering(door, engine)
            assert int(door.ask(COUNT[engine])) > 0
            eventually(lambda: told_when_full(owner, instance["id"], door, engine, patience), within=60)
    eventually(lambda: "fault" not in owner.client.instances.get(instance["id"]))
    eventually(lambda: writes(door, engine), within=120)
    owner.healthy(instance["id"])


def test_a_log_without_room_takes_postgresql_down_and_the_owner_reads_why(owner: Owner) -> None:
    """PostgreSQL stays down until its log has room (its manual, 30.5); then it is back by itself, with everything."""
    instance = owner.ready("postgresql")
    door = owner.door(instance)
    door.ask(BEGIN["postgresql"])
    with much(owner.argosy.state / "mounts" / instance["id"], leaving=24 * MIB):
        with pytest.raises(Exception, match=NO_MORE):
            fill(door, "postgresql")
        down_for_its_log(owner, instance["id"])
    owner.healthy(instance["id"])
    assert int(door.ask(COUNT["postgresql"])) > 0


def down_for_its_log(owner: Owner, instance: str) -> None:
    eventually(lambda: told(owner, instance))
    eventually(lambda: owner.client.instances.get(instance)["operating_status"] == "FAILED")
    assert "No space left on device" in owner.client.instances.get(instance)["fault"]["message"]


@contextmanager
def much(volume: Path, leaving: int) -> Iterator[None]:
    """Most of the volume is in use."""
    ballast = volume / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(volume)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - leaving)
    try:
        yield
    finally:
        ballast.unlink()


def fill(door: Door, engine: str, enough: threading.Event | None = None) -> None:
    for _ in range(4000):
        if enough is None or not enough.is_set():
            door.ask(LOAD[engine])


def filled(door: Door, engine: str, patience: float) -> str:
    """What ended it, or WAITS."""
    enough, told = threading.Event(), queue.SimpleQueue[str]()

    def filling() -> None:
        try:
            fill(door, engine, enough)
        except Exception as error:  # noqa: BLE001 - whatever a client calls it
            told.put(str(error))

    threading.Thread(target=filling, daemon=True).start()
    try:
        return told.get(timeout=patience)
    except queue.Empty:
        return WAITS
    finally:
        enough.set()


def told_when_full(owner: Owner, instance: str, door: Door, engine: str, patience: float) -> bool:
    """A server that lets go of its log has room for a little more."""
    filled(door, engine, patience)
    return told(owner, instance)


def told(owner: Owner, instance: str) -> bool:
    seen = owner.client.instances.get(instance)
    assert seen["volume"]["used_percent"] > 98, seen
    return "the volume is full" in seen.get("fault", {"message": ""})["message"]


def writes(door: Door, engine: str) -> bool:
    try:
        door.ask(LOAD[engine])
    except Exception as error:
        raise AssertionError(error) from error
    return True
