"""What reading costs with 100 and with 10,000 instances in a project: `python benchmarks/api.py`.

The API runs as a process of its own, as `argosy up` runs it; its processor time is read from /proc. One client with one
kept connection for each size, in turns; medians. The raw floor is an unauthenticated `GET /` of the same process.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import clock
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import (
    Account,
    Datastore,
    DatastoreVersion,
    Endpoint,
    Guest,
    Instance,
    Project,
    RoleAssignment,
    Table,
)
from argosy.identity.local import tokens

SIZES = (100, 10_000)
REQUESTS = 300
WARM_UP = 50
TICKS = os.sysconf("SC_CLK_TCK")
SERVE = "import sys; from argosy import settings; from argosy.api import main; sys.exit(main.run(settings.load()))"
PROJECT, DATASTORE, VERSION = "bench", str(uuid.uuid4()), str(uuid.uuid4())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        callers = {size: stack.enter_context(deployment(size)) for size in SIZES}
        figures = {name: compare(callers, name, options.requests) for name in callers[SIZES[0]].paths}
    print(json.dumps(figures, indent=2))


@contextlib.contextmanager
def deployment(size: int) -> Iterator[Caller]:
    """An API with so many instances in its SQLite database."""
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as directory:
        database = Database(f"sqlite:///{directory}/control.db")
        Table.metadata.create_all(database.engine)
        with served(Path(directory)) as api:
            token, ids = fill(database, size)
            yield Caller(api, token, ids)
        database.engine.dispose()


@dataclass
class Served:
    port: int
    pid: int


@contextlib.contextmanager
def served(state: Path) -> Iterator[Served]:
    port, identity = (free() for _ in range(2))
    (state / "argosy.toml").write_text(
        f"[api]\nport = {port}\n[identity]\nport = {identity}\n[limits]\nrequests_per_minute = 1000000\n"
    )
    sealed.make(state / "keys" / "master.key")
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE], env={**os.environ, "ARGOSY_STATE": str(state)}, stderr=log
        )
    try:
        await_port(port)
        yield Served(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def await_port(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def fill(database: Database, size: int) -> tuple[str, list[str]]:
    """A project with so many instances that are up; a token of it, and the instances' ids in order."""
    now = clock.now()
    ids = sorted(str(uuid.uuid4()) for _ in range(size))
    with database.write() as session:
        session.add(Datastore(id=DATASTORE, name="postgresql", engine="postgresql", default_version_id=VERSION))
        session.add(
            DatastoreVersion(id=VERSION, datastore_id=DATASTORE, name="15", number="15.18", capabilities=["tls"])
        )
        session.add(Project(id=PROJECT, name=PROJECT))
        session.add(Account(id=PROJECT, name=PROJECT))
        session.add(RoleAssignment(account_id=PROJECT, project_id=PROJECT, role="member"))
        who = tokens.Ref(PROJECT, PROJECT)
        token, _ = tokens.issue(session, tokens.Grant(who, who, ("member",), ("password",), now + 86_400))
        session.add_all(instance(each, age, now) for age, each in enumerate(ids))
        session.add_all(Guest(id=each, generation=1, health="healthy", seen_at=now + 86_400) for each in ids)
        session.add_all(
            Endpoint(id=str(uuid.uuid4()), instance_id=each, role="writer", host="127.1.2.3", port=5432) for each in ids
        )
    return token, ids


def instance(instance_id: str, age: int, now: float) -> Instance:
    placed = {"project_id": PROJECT, "version_id": VERSION, "flavor_id": "1", "region": "RegionOne"}
    sized = {"ram": 256, "gigabytes": 1, "created": now - age, "updated": now}
    return Instance(id=instance_id, name=f"m{age}", **placed, **sized)


class Caller:
    """One client with one kept connection."""

    def __init__(self, api: Served, token: str, ids: list[str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", api.port)
        self.stat = Path(f"/proc/{api.pid}/stat")
        self.headers = {"X-Auth-Token": token}
        base, middle = f"/v1.0/{PROJECT}/instances", ids[len(ids) // 2]
        self.paths = {
            "floor": "/",
            "list": f"{base}?limit=20",
            "list_from_the_middle": f"{base}?limit=20&marker={middle}",
            "detail": f"{base}/detail?limit=20",
            "show": f"{base}/{middle}",
        }

    def get(self, name: str) -> float:
        """Milliseconds."""
        begun = time.perf_counter()
        self.connection.request("GET", self.paths[name], headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        return (time.perf_counter() - begun) * 1000

    def spent(self) -> float:
        """Processor time of the API, milliseconds."""
        user, system = self.stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) * 1000 / TICKS


def compare(callers: dict[int, Caller], name: str, requests: int) -> dict[str, Any]:
    """Both sizes in turns, so that whatever else the machine does meets both."""
    for caller in callers.values():
        for _ in range(WARM_UP):
            caller.get(name)
    before = {size: caller.spent() for size, caller in callers.items()}
    times: dict[int, list[float]] = {size: [] for size in callers}
    for _ in range(requests):
        for size, caller in callers.items():
            times[size].append(caller.get(name))
    cpu = {size: (caller.spent() - before[size]) / requests for size, caller in callers.items()}
    small, large = (cpu[size] for size in SIZES)
    told = {size: figures(times[size], cpu[size]) for size in SIZES}
    return {**told, "cpu_ratio": round(large / max(small, 1 / TICKS), 2)}


def figures(times: list[float], cpu: float) -> dict[str, float]:
    quantiles = statistics.quantiles(times, n=100)
    return {"p50_ms": round(quantiles[49], 2), "p99_ms": round(quantiles[98], 2), "cpu_ms": round(cpu, 2)}


if __name__ == "__main__":
    main()
