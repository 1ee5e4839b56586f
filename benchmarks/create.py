"""Create to first TLS query with the returned password, against doing it by hand, in turn and in the same run."""

from __future__ import annotations

import ssl
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pg8000.native
import pymysql
import redis

sys.path.insert(0, str(Path(__file__).parent))

from by_hand import BY_HAND  # noqa: E402

from argosy.client.resources import Client, Request  # noqa: E402
from argosy.testing.deployments import Deployment  # noqa: E402

ROUNDS = 10
MANY = 20
GOALS = {"postgresql": "≤ 1.0 ×", "mariadb": "≤ 0.8 ×", "redis": "≤ 0.5 s more"}

Document = dict[str, Any]


def main() -> int:
    with Deployment(level="root") as argosy:
        client = argosy.client()
        trust = ssl.create_default_context(cadata=client.session.authority())
        for engine in BY_HAND:
            create(client, engine, trust)  # the template is made by the first: cold
        print("| engine | by hand, s | through Argosy, s | ratio | goal |\n|---|---|---|---|---|")
        for engine in BY_HAND:
            print(row(client, engine, trust))
        print(at_once(client, trust))
    return 0


def row(client: Client, engine: str, trust: ssl.SSLContext) -> str:
    """Medians of rounds in which both take their turn."""
    pairs = [(BY_HAND[engine](), create(client, engine, trust)) for _ in range(ROUNDS)]
    raw, ours = (statistics.median(each) for each in zip(*pairs, strict=True))
    return f"| {engine} | {raw:.3f} | {ours:.3f} | {ours / raw:.2f} | {GOALS[engine]} |"


def at_once(client: Client, trust: ssl.SSLContext) -> str:
    """Twenty PostgreSQL at once, against twenty by hand, two at a time."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: BY_HAND["postgresql"](), range(MANY)))
    raw, begun = time.perf_counter() - begun, time.perf_counter()
    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(lambda _: create(client, "postgresql", trust), range(MANY)))
    ours = time.perf_counter() - begun
    return f"\n{MANY} at once: by hand {raw:.2f} s (two at a time), through Argosy {ours:.2f} s, ratio {ours / raw:.2f}"


def create(client: Client, engine: str, trust: ssl.SSLContext) -> float:
    """Seconds from the request to the answer of the first query. The instance is deleted afterwards."""
    begun = time.perf_counter()
    made = client.instances.create(Request("bench", engine, "2", 1))
    _until_done(client, made["id"])
    endpoint = client.instances.get(made["id"])["endpoints"][0]
    ASK[engine](endpoint, made["password"], trust)
    took = time.perf_counter() - begun
    client.instances.delete(made["id"])
    return took


def _until_done(client: Client, instance_id: str) -> None:
    answer = client.instances.operations(instance_id)
    while answer["operations"][0]["state"] == "active":
        answer = client.instances.operations(instance_id, since=answer["cursor"], wait=20)
    assert answer["operations"][0]["state"] == "done", answer


def _postgresql(at: Document, password: str, trust: ssl.SSLContext) -> None:
    place = {"host": at["host"], "port": at["port"], "database": "postgres", "ssl_context": trust}
    session = pg8000.native.Connection("root", password=password, **place)
    assert session.run("SELECT 1") == [[1]]
    session.close()


def _mariadb(at: Document, password: str, trust: ssl.SSLContext) -> None:
    session = pymysql.connect(host=at["host"], port=at["port"], user="root", password=password, ssl=trust)
    with session.cursor() as cursor:
        assert cursor.execute("SELECT 1") == 1
    session.close()


def _redis(at: Document, password: str, _trust: ssl.SSLContext) -> None:
    with redis.Redis(at["host"], at["port"], username="root", password=password, ssl=True, ssl_ca_data=_pem) as session:
        assert session.ping()


_pem = ""
ASK: Mapping[str, Callable[[Document, str, ssl.SSLContext], None]] = {
    "postgresql": _postgresql,
    "mariadb": _mariadb,
    "redis": _redis,
}

if __name__ == "__main__":
    sys.exit(main())
