"""The short-lived child that moves one backup: `python -m argosy.agent.archiver`, started and ended by its agent.

Its job is a line of JSON on standard input, which stays open for as long as the agent lives: when it closes, this
process and every tool that it has started die. What it has to say are lines of JSON on standard output: `progress`
each second, at the end `answer`, or `error`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

from argosy import clock, errors, logs
from argosy.agent import boot
from argosy.agent.packing import Behind, Packing
from argosy.agent.replaying import replay
from argosy.agent.stages import Tally
from argosy.agent.throttle import Throttle
from argosy.agent.unpacking import Ahead, Unpacking, naming
from argosy.agent.uplink import Uplink
from argosy.agent.work import kind
from argosy.engines import backups, registry
from argosy.engines.backups import Backups, Layer, Order, Strategy
from argosy.engines.base import Engine
from argosy.engines.excerpts import Excerpt, Excerpts
from argosy.model.guest import Site
from argosy.stores.archive import PARTS, Opener, Put, Sealer, read_parts

SECOND = 1.0
WAYS = 2
"""parts on their way to the store at a time: while one is made durable the next is sent"""
LINES = 3
"""files of an archived log that are fetched at a time"""
Job = Mapping[str, Any]
Result = dict[str, Any]


class Archiver:
    def __init__(self, job: Job, voice: TextIO) -> None:
        self._job = job
        self._voice = voice
        self._lock = threading.Lock()
        guest = Path(job["guest"])
        self._site, self._engine = boot.site(guest), registry.get(boot.boot(guest).engine)
        self._uplink = Uplink(guest, job["command"])
        self._tally = Tally(Throttle(int(job["limits"].get("bytes_per_second") or 0)))

    def run(self) -> None:
        threading.Thread(target=self._report, daemon=True).start()
        jobs: Mapping[str, Callable[[], Result]] = {
            "dump": self._dump,
            "load": self._load,
            "replay": self._replay,
            "take_out": self._take_out,
            "put_in": self._put_in,
        }
        started = clock.monotonic()
        try:
            answer = jobs[self._job["do"]]()
            self._say(answer={**answer, "seconds": round(clock.monotonic() - started, 3)})
        except errors.ArgosyError as error:
            self._say(error=error.message, kind=kind(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must hear of it
            self._say(error=f"{self._job['do']}: {type(error).__name__}: {error}", kind="")

    def _dump(self) -> Result:
        job, driver = self._job, driver_of(self._engine, self._site)
        strategy = self._strategy(job["strategy"])
        seen = {} if strategy.offline else driver.canaries()
        with self._packing(strategy.ahead) as packing:
            taken = driver.dump(strategy.name, Order(Path.cwd(), job["since"]), packing.into)
        return {
            **self._packed(packing),
            "position": dict(taken.position),
            "canaries": backups.unchanged(seen, {} if strategy.offline else driver.canaries()),
            "moment": taken.moment,
        }

    def _packing(self, ahead: int = Strategy.ahead) -> Packing:
        job = self._job
        put = Behind([self._way(f"{job['attempt']}/") for _ in range(WAYS)])
        sealer = Sealer(bytes.fromhex(job["key"]), put, backup=job["backup"], attempt=job["attempt"])
        return Packing(sealer, self._tally, ahead)

    def _way(self, place: str) -> Put:
        uplink = Uplink(Path(self._job["guest"]), self._job["command"])
        return lambda name, data: uplink.put(place + name, data)

    def _packed(self, packing: Packing) -> Result:
        """What is in the store."""
        return {
            "attempt": self._job["attempt"],
            "raw_bytes": packing.count.bytes,
            "stored_bytes": packing.sealed.stored_bytes,
            "parts_sha256": packing.sealed.parts_sha256,
        }

    def _take_out(self) -> Result:
        driver = excerpts_of(self._engine, self._site)
        with self._packing() as packing:
            taken = driver.take_out(self._job["database"], self._job["tables"], Path.cwd(), packing.into)
        return {**self._packed(packing), "excerpt": asdict(taken)}

    def _put_in(self) -> Result:
        driver = excerpts_of(self._engine, self._site)
        with self._stream(0, self._job["chain"][0]) as source:
            driver.put_in(Excerpt(**self._job["excerpt"]), self._job["into"], Path.cwd(), source)
        return {"raw_bytes": self._tally.bytes}

    def _load(self) -> Result:
        """Into `data`, where the volume would be."""
        driver = driver_of(self._engine, replace(self._site, data=Path(self._job["data"])))
        driver.load([self._layer(number) for number in range(len(self._job["chain"]))], Path.cwd())
        return {"raw_bytes": self._tally.bytes}

    def _replay(self) -> Result:
        guest, command = Path(self._job["guest"]), self._job["command"]
        uplinks = [Uplink(guest, command, door="archive") for _ in range(LINES)]
        return replay(self._job, self._engine.load_driver()(self._site), uplinks, self._tally)

    def _layer(self, number: int) -> Layer:
        link = self._job["chain"][number]
        return Layer(self._strategy(link["strategy"]).name, link["position"], lambda: self._stream(number, link))

    @contextmanager
    def _stream(self, number: int, link: Mapping[str, Any]) -> Iterator[int]:
        with naming(link["backup"]), self._unpacking(number, link) as source:
            yield source

    def _unpacking(self, number: int, link: Mapping[str, Any]) -> AbstractContextManager[int]:
        def get(name: str) -> Any:
            return self._uplink.get(f"{number}/{link['attempt']}/{name}")

        with get(PARTS) as listed:
            parts = read_parts(listed.read(), link["parts_sha256"])
        opener = Opener(bytes.fromhex(link["key"]), link["backup"], link["attempt"], parts, Ahead(get, parts))
        return Unpacking(opener, int(link["raw_bytes"]), self._tally)

    def _strategy(self, name: str) -> Strategy:
        """Raises NotSupported."""
        for each in self._engine.strategies:
            if each.name == name:
                return each
        raise errors.NotSupported(f"{self._engine.title} has no backups by {name!r}")

    def _report(self) -> None:
        while True:
            self._say(progress=self._tally.bytes)
            time.sleep(SECOND)

    def _say(self, **line: Any) -> None:
        with self._lock:
            self._voice.write(json.dumps(line) + "\n")
            self._voice.flush()


def driver_of(engine: Engine, site: Site) -> Backups:
    """Raises NotSupported."""
    driver: Any = engine.load_driver()(site)
    if not isinstance(driver, Backups):
        raise errors.NotSupported(f"{engine.title} has no backups")
    return driver


def excerpts_of(engine: Engine, site: Site) -> Excerpts:
    """Raises NotSupported."""
    driver: Any = engine.load_driver()(site)
    if not isinstance(driver, Excerpts):
        raise errors.NotSupported(f"nothing can be taken out of {engine.title} by itself")
    return driver


def main() -> None:
    voice = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what tools print is none of our lines
    logs.start("archiver")
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_die_with_agent, daemon=True).start()
    os.nice(int(job["limits"].get("nice") or 0))  # the priority of input and output follows it (ionice(1))
    Archiver(job, voice).run()


def _die_with_agent() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
