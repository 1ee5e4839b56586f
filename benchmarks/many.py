"""A hundred small databases on one machine at once: 40 PostgreSQL, 20 MariaDB, 40 Redis, all answering."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from create import HELLO, until_done

from argosy.client.resources import Client, Document, Request
from argosy.testing import machines
from argosy.testing.connections import door
from argosy.testing.deployments import Deployment

SHARES = {"postgresql": 40, "mariadb": 20, "redis": 40}
AT_A_TIME = 4


def main() -> None:
    wanted = [engine for engine, count in SHARES.items() for _ in range(count)]
    with Deployment(level="root") as argosy:
        client = argosy.client()
        begun = time.perf_counter()
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            made = list(pool.map(lambda engine: (engine, create(client, engine)), wanted))
        took = time.perf_counter() - begun
        for engine, each in made:
            door(client, client.instances.get(each["id"]), each["password"]).ask(HELLO[engine])
        memory = sum(_pss(pid) for _, each in made for pid in machines.pids_of(each["id"]))
        print(f"{len(made)} made in {took:.1f} s, {AT_A_TIME} at a time; all answer")
        print(f"their memory (PSS, agents included): {memory / 1024:.0f} MB, {memory / 1024 / len(made):.1f} MB each")


def create(client: Client, engine: str) -> Document:
    made = client.instances.create(Request(f"many-{engine}", engine, "1", 1))
    until_done(client, made["id"])
    return made


def _pss(pid: int) -> int:
    """KiB; nothing for a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    sys.exit(main())
