"""Create to first TLS query with the returned password, against doing it by hand, in turn and in the same run."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from by_hand import BY_HAND

from argosy.client.resources import Client, Request
from argosy.testing.connections import door
from argosy.testing.deployments import Deployment

ROUNDS = 10
MANY = 20
GOALS = {"postgresql": "at most 1.0 of it", "mariadb": "at most 0.8 of it", "redis": "at most 0.5 s more"}
HELLO = {"postgresql": "SELECT 1", "mariadb": "SELECT 1", "redis": "PING"}


def main() -> None:
    with Deployment(level="root") as argosy:
        client = argosy.client()
        print("| engine | by hand, s | cold, s | warm, s | warm : by hand | goal |\n|---|---|---|---|---|---|")
        for engine in BY_HAND:
            print(row(client, engine), flush=True)
        print(at_once(client))


def row(client: Client, engine: str) -> str:
    """Medians of rounds in which both take their turn; before them the one that may meet no template yet."""
    cold = create(client, engine)
    pairs = [(BY_HAND[engine](), create(client, engine)) for _ in range(ROUNDS)]
    raw, warm = (statistics.median(each) for each in zip(*pairs, strict=True))
    return f"| {engine} | {raw:.3f} | {cold:.3f} | {warm:.3f} | {warm / raw:.2f} | {GOALS[engine]} |"


def at_once(client: Client) -> str:
    """Twenty PostgreSQL at once, against twenty by hand, two at a time."""
    raw = _together(BY_HAND["postgresql"], 2)
    ours = _together(lambda: create(client, "postgresql"), MANY)
    return f"\n{MANY} at once: by hand {raw:.2f} s (two at a time), through Argosy {ours:.2f} s: {ours / raw:.2f} of it"


def _together(make: Callable[[], float], at_a_time: int) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(lambda _: make(), range(MANY)))
    return time.perf_counter() - begun


def create(client: Client, engine: str) -> float:
    """Seconds from the request to the answer of the first query. The instance is deleted afterwards."""
    begun = time.perf_counter()
    made = client.instances.create(Request("bench", engine, "2", 1))
    until_done(client, made["id"])
    door(client, client.instances.get(made["id"]), made["password"]).ask(HELLO[engine])
    took = time.perf_counter() - begun
    client.instances.delete(made["id"])
    return took


def until_done(client: Client, instance_id: str) -> None:
    for operations in client.instances.follow(instance_id):
        if operations[0]["state"] != "active":
            assert operations[0]["state"] == "done", operations[0]
            return


if __name__ == "__main__":
    sys.exit(main())
