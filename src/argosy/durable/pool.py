"""Threads that carry runs. One of them looks for work or waits at the doorbell; the others work or wait their turn."""

from __future__ import annotations

import logging
import threading
from typing import Any, Protocol

from argosy import clock
from argosy.db.tables import Run
from argosy.durable.claims import DATABASE_AWAY
from argosy.durable.runner import Runner

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds after which somebody looks for work without having been rung: a ring may be lost."""

GRACE = 20.0
"""seconds: a step should leave within less"""


class Bell(Protocol):
    def wait(self, timeout: float) -> bool: ...


class Pool:
    def __init__(self, runner: Runner[Any], bell: Bell, threads: int) -> None:
        self._runner = runner
        self._bell = bell
        self._turn = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"runner-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within: float = GRACE) -> bool:
        """Let the steps under way end, and their runs be given back; false when one still goes on after so long."""
        self._runner.stopping = True
        end = clock.monotonic() + within
        for thread in self._threads:
            thread.join(max(end - clock.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._runner.stopping:
            with self._turn:
                run = self._next()
            if run is not None:
                self._runner.carry(run)

    def _next(self) -> Run | None:
        """A claimed run; None when the pool is stopping. Waits without using the processor."""
        while not self._runner.stopping:
            run, seconds = self._look()
            if run is not None:
                return run
            self._bell.wait(min(seconds, LOOK_EVERY))
        return None

    def _look(self) -> tuple[Run | None, float]:
        try:
            return self._runner.next()
        except DATABASE_AWAY as away:
            log.warning("the control database does not answer", extra={"error": str(away)})
        except Exception:
            log.exception("looking for work failed")
        return None, LOOK_EVERY
