"""What a snapshot costs a writer, and how soon a copy of one answers: stalls, a clone's first query, restore and undo.

python benchmarks/snapshots.py [gigabytes] [snapshots]

A client updates rows at random all the while, each in a transaction of its own. Its stall is the longest of them from
the request for a snapshot until that is there (a backup with storage driver `cinder`), and beside it, in windows as
long, without a snapshot. Clone: from the request for an instance that begins as the snapshot to the first answer of its
server: of one at rest, a minute after it was filled, and of one that was written to until just before, whose copy goes
through the log of that as after a crash. In place, and undone: from the request until the server answers over the
other data.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

import psycopg
import pymysql
from backups import fill, grow
from keepers import Keeper
from owners import Owner

from argosy.client.resources import Document
from argosy.testing.connections import Door
from argosy.testing.deployments import Deployment

ENGINES = ("postgresql", "mariadb")
TABLE = {"postgresql": "load", "mariadb": "filled.filled"}
CLONES = 5
REST = 60.0
"""seconds"""
SOON = 0.02
"""seconds between two questions whether it is there"""


def main(gigabytes: float, snapshots: int) -> None:
    print(
        "| engine | stall p95 | max | without: p95 | max | clone of one at rest to first query | of one just written to"
        " | in place | undone |"
    )
    print("|---" * 9 + "|")
    with Deployment("root", backups={"drills": "off"}) as argosy:
        for engine in ENGINES:
            print(measured(argosy, engine, gigabytes, snapshots), flush=True)
    print(
        f"\n{gigabytes:g} GB of data; stalls in milliseconds over {snapshots} snapshots, the rest in seconds (medians)."
    )


def measured(argosy: Deployment, engine: str, gigabytes: float, snapshots: int) -> str:
    keeper = Keeper(Owner(argosy, argosy.client(), {}))
    instance = keeper.owner.ready(engine, flavor="4")
    grow(keeper.owner, instance, int(gigabytes * 2) + 2)
    fill(keeper.owner, instance, engine, gigabytes)
    time.sleep(REST)
    rest = statistics.median(cloned(keeper, instance, engine) for _ in range(CLONES))
    with writing(keeper.owner.door(instance), engine) as latencies:
        held, free = zip(*(stalls(keeper, instance, latencies) for _ in range(snapshots)), strict=True)
    clone = statistics.median(cloned(keeper, instance, engine) for _ in range(CLONES))
    place, undone = in_place(keeper, instance, engine)
    keeper.owner.delete(instance["id"])
    told = (f"{p95(each):.0f} | {max(each):.0f}" for each in (held, free))
    return f"| {engine} | {' | '.join(told)} | {rest:.2f} | {clone:.2f} | {place:.1f} | {undone:.1f} |"


def stalls(keeper: Keeper, instance: Document, latencies: list[tuple[float, float]]) -> tuple[float, float]:
    """Of one snapshot, and of as long a time after it without one, in milliseconds."""
    begun = time.perf_counter()
    backup = keeper.backed_up(instance, storage_driver="cinder")
    ended = time.perf_counter()
    keeper.delete(backup["id"])
    time.sleep(2)
    quiet = time.perf_counter()
    time.sleep(ended - begun)
    return longest(latencies, begun, ended), longest(latencies, quiet, time.perf_counter())


def longest(latencies: list[tuple[float, float]], begin: float, end: float) -> float:
    return max((took for at, took in list(latencies) if at <= end and at + took >= begin), default=0.0) * 1000


def p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def cloned(keeper: Keeper, instance: Document, engine: str) -> float:
    backup = keeper.backed_up(instance, storage_driver="cinder")
    begun = time.perf_counter()
    made = keeper.restoring(backup, engine, flavorRef="4", volume={"size": backup["volume_size"]})
    soon(lambda: _counts(keeper.owner, made, engine))
    took = time.perf_counter() - begun
    keeper.owner.ended(made["id"])
    keeper.owner.delete(made["id"])
    keeper.delete(backup["id"])
    return took


def in_place(keeper: Keeper, instance: Document, engine: str) -> tuple[float, float]:
    """The server goes away first: an answer counts once the operation shows that it is the other data's."""
    backup = keeper.backed_up(instance, storage_driver="cinder")
    taken = [
        until_done(keeper.owner, instance, engine, action)
        for action in ({"restore": {"backup": backup["id"]}}, {"undo": {}})
    ]
    keeper.delete(backup["id"])
    return taken[0], taken[1]


def until_done(owner: Owner, instance: Document, engine: str, action: dict[str, Any]) -> float:
    begun = time.perf_counter()
    owner.client.instances.act(instance["id"], action)
    soon(lambda: owner.client.instances.get(instance["id"])["status"] == "ACTIVE")
    soon(lambda: _counts(owner, instance, engine))
    return time.perf_counter() - begun


def _counts(owner: Owner, instance: Document, engine: str) -> bool:
    seen = owner.client.instances.get(instance["id"])
    return bool(seen.get("endpoints")) and owner.door(seen).ask(f"SELECT 1 FROM {TABLE[engine]} LIMIT 1") == "1"


def soon(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            if look():
                return
        except Exception:  # noqa: BLE001, S110 - it is not there yet
            pass
        time.sleep(SOON)
    raise TimeoutError


@contextmanager
def writing(door: Door, engine: str) -> Iterator[list[tuple[float, float]]]:
    """When each of its updates began, and how long it took."""
    latencies: list[tuple[float, float]] = []
    done = threading.Event()
    thread = threading.Thread(target=_write, args=(door, engine, latencies, done))
    thread.start()
    try:
        yield latencies
    finally:
        done.set()
        thread.join()


def _write(door: Door, engine: str, latencies: list[tuple[float, float]], done: threading.Event) -> None:
    dice = random.Random(1)  # noqa: S311 - which rows it is does not matter
    with closing(_connection(door)) as session, closing(session.cursor()) as cursor:
        cursor.execute(f"SELECT max(id) FROM {TABLE[engine]}")
        (rows,) = cursor.fetchone()
        while not done.is_set():
            begun = time.perf_counter()
            cursor.execute(f"UPDATE {TABLE[engine]} SET b = concat('x', b) WHERE id = {dice.randrange(rows) + 1}")
            latencies.append((begun, time.perf_counter() - begun))


def _connection(door: Door) -> Any:
    if door.scheme == "postgresql":
        place = f"host={door.host} port={door.port} user={door.user} dbname=postgres sslmode=require"
        return psycopg.connect(f"{place} password={door.password}", autocommit=True)
    secure = {"ssl": {"check_hostname": False}}
    told = {"host": door.host, "port": door.port, "user": door.user, "password": door.password}
    return pymysql.connect(**told, **secure, autocommit=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(float(given[0]) if given else 2.0, int(given[1]) if len(given) > 1 else 20)
