"""What reading costs with 100 and with 10,000 instances in a project: `python benchmarks/api.py [DATABASE-URL]`.

The API runs as a process of its own, as `argosy up` runs it; its processor time is read from /proc. One client, one
kept connection, medians. The raw floor is an unauthenticated `GET /` of the same process.
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
    parser.add_argument("url", nargs="?", default="", help="control database; an SQLite file of its own by default")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    options = parser.parse_args()
    figures = {size: measure(size, options.url, options.requests) for size in SIZES}
    small, large = (figures[size] for size in SIZES)
    ratios = {name: round(large[name]["cpu_ms"] / small[name]["cpu_ms"], 2) for name in small if name != "floor"}
    print(json.dumps({"instances": figures, "cpu_ratio": ratios}, indent=2))


def measure(size: int, url: str, requests: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as directory:
        state = Path(directory)
        database = Database(url or f"sqlite:///{state / 'control.db'}")
        Table.metadata.create_all(database.engine)
        try:
            with served(state, url) as api:
                token, ids = fill(database, size)
                return compare(Caller(api.port, api.pid, token), ids, requests)
        finally:
            Table.metadata.drop_all(database.engine)
            database.engine.dispose()


@dataclass
class Served:
    port: int
    pid: int


@contextlib.contextmanager
def served(state: Path, url: str) -> Iterator[Served]:
    port, identity = (free() for _ in range(2))
    database = f'[database]\nurl = "{url}"\n' if url else ""
    (state / "argosy.toml").write_text(
        f"[api]\nport = {port}\n[identity]\nport = {identity}\n[limits]\nrequests_per_minute = 1000000\n{database}"
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
    def __init__(self, port: int, pid: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.stat = Path(f"/proc/{pid}/stat")
        self.headers = {"X-Auth-Token": token}

    def get(self, path: str) -> int:
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        size = len(answer.read())
        assert answer.status == 200, answer.status
        return size

    def spent(self) -> float:
        """Processor time of the API, milliseconds."""
        user, system = self.stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) * 1000 / TICKS


def compare(caller: Caller, ids: list[str], requests: int) -> dict[str, Any]:
    base = f"/v1.0/{PROJECT}/instances"
    paths = {
        "floor": "/",
        "list": f"{base}?limit=20",
        "list_from_the_middle": f"{base}?limit=20&marker={ids[len(ids) // 2]}",
        "detail": f"{base}/detail?limit=20",
        "show": f"{base}/{ids[len(ids) // 2]}",
    }
    return {name: figures(caller, path, requests) for name, path in paths.items()}


def figures(caller: Caller, path: str, requests: int) -> dict[str, Any]:
    for _ in range(WARM_UP):
        size = caller.get(path)
    times, before = [], caller.spent()
    for _ in range(requests):
        begun = time.perf_counter()
        caller.get(path)
        times.append((time.perf_counter() - begun) * 1000)
    cpu = (caller.spent() - before) / requests
    quantiles = statistics.quantiles(times, n=100)
    return {
        "p50_ms": round(quantiles[49], 2),
        "p99_ms": round(quantiles[98], 2),
        "cpu_ms": round(cpu, 2),
        "bytes": size,
    }


if __name__ == "__main__":
    main()
