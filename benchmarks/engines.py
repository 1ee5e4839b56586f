"""What the floor of a create costs: each step of a driver between a template and the first TLS query, by itself.

python benchmarks/engines.py [rounds]
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from by_hand import BY_HAND

from argosy.engines import registry
from argosy.engines.base import Engine, Found
from argosy.model.guest import Health, Identity, Secret
from argosy.testing import hands, servers
from argosy.testing.servers import Farm, Server
from argosy.testing.waiting import eventually

ENGINES = {"postgresql": ("postgresql", "15"), "mariadb": ("mysql", "10.11"), "redis": ("redis", "7.0")}
STEPS = ("install", "copy", "adopt", "configure", "start", "master", "query")

Times = dict[str, float]


def main(rounds: int) -> None:
    print("milliseconds, medians; install is once per version, the warm path is the rest")
    print("| engine | by hand | warm | " + " | ".join(STEPS) + " | PSS, MB |")
    print("|---" * (len(STEPS) + 4) + "|")
    for name, (engine, version) in ENGINES.items():
        found = servers.require(engine, version)
        samples, resident = zip(*(once(registry.get(engine), found) for _ in range(rounds)), strict=True)
        by_hand = statistics.median(BY_HAND[name]() for _ in range(rounds))
        print(row(name, by_hand, samples, statistics.median(resident)))


def row(name: str, by_hand: float, samples: Sequence[Times], resident: float) -> str:
    medians = [statistics.median(each[step] for each in samples) for step in STEPS]
    warm = statistics.median(sum(each.values()) - each["install"] for each in samples)
    cells = " | ".join(f"{each * 1000:.1f}" for each in (by_hand, warm, *medians))
    return f"| {name} | {cells} | {resident / 1e6:.0f} |"


def once(engine: Engine, found: Found) -> tuple[Times, int]:
    with servers.farm() as farm:
        times: Times = {}
        template = farm.bare(engine, found)
        _timed(times, "install", lambda: template.hands.call("install"))
        server = _clone(times, farm, template)
        return times, hands.resident(server.running.pid)


def _clone(times: Times, farm: Farm, template: Server) -> Server:
    password = Secret.generate()
    server: Server = _timed(times, "copy", lambda: farm.bare(template.engine, template.found, template.site.data))
    server.issue_certificate()
    _timed(times, "adopt", lambda: server.hands.call("adopt", Identity(str(uuid.uuid4()), 1)))
    _timed(times, "configure", lambda: server.hands.call("configure", {}))
    _timed(times, "start", lambda: _start(server))
    _timed(times, "master", lambda: server.hands.call("put_master", password))
    login = server.login(template.engine.master, password)
    _timed(times, "query", lambda: server.connect(login).run({"redis": "PING"}.get(template.engine.name, "SELECT 1")))
    return server


def _start(server: Server) -> None:
    server.process = hands.run(server.hands.call("service"), server.log)
    eventually(lambda: server.hands.call("probe").health is Health.HEALTHY, every=0.003)


def _timed(times: Times, step: str, act: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    result = act()
    times[step] = time.perf_counter() - begun
    return result


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
