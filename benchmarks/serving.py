"""An API process as `argosy up` runs it, on its own database, and clients that measure it. Not a benchmark itself."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.db import sealed
from argosy.testing import claims

SERVE = "import sys; from argosy import settings; from argosy.api import main; sys.exit(main.run(settings.load()))"
WARM_UP = 20


@dataclass(frozen=True)
class Served:
    port: int
    pid: int


@contextlib.contextmanager
def served(state: Path) -> Iterator[Served]:
    port, identity = claims.port(), claims.port()
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


def await_port(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    milliseconds: float


class Caller:
    """One client with one kept connection, and an eye on the processor time of whom it calls."""

    def __init__(self, api: Served, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", api.port)
        self._headers = {"X-Auth-Token": token}
        self._clock = ~api.pid << 3 | 2
        """the processor clock of another process (clock_getcpuclockid(3)): exact where /proc counts in hundredths"""

    def get(self, path: str) -> Reply:
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        return Reply(answer.status, body, (time.perf_counter() - begun) * 1000)

    def spent(self) -> float:
        """Processor time of the API, milliseconds."""
        return time.clock_gettime(self._clock) * 1000


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one request."""

    p50: float
    p99: float
    cpu: float


def measure(asks: Sequence[Callable[[], Reply]], callers: Sequence[Caller], requests: int) -> list[Cost]:
    """Each question of an API of its own, in turns, so that whatever else the machine does meets all of them."""
    for ask in asks:
        for _ in range(min(WARM_UP, requests)):
            ask()
    before = [caller.spent() for caller in callers]
    rounds = [[ask().milliseconds for ask in asks] for _ in range(requests)]
    spent = [caller.spent() - begun for caller, begun in zip(callers, before, strict=True)]
    times = zip(*rounds, strict=True)
    return [cost(mine, cpu / requests) for mine, cpu in zip(times, spent, strict=True)]


def cost(times: Sequence[float], cpu: float) -> Cost:
    quantiles = statistics.quantiles(times, n=100)
    return Cost(quantiles[49], quantiles[98], cpu)
