"""The post: delivers webhooks on threads of its own, so that a receiver that hangs delays no operation."""

from __future__ import annotations

import logging
import threading

from argosy.db.session import Database
from argosy.durable.claims import DATABASE_AWAY
from argosy.durable.doorbell import Doorbell
from argosy.durable.pool import Pool
from argosy.durable.runner import Runner
from argosy.settings import Settings
from argosy.workflows import deliver_webhook
from argosy.workflows.world import World

log = logging.getLogger(__name__)

ROLE = "post"
LOOK_EVERY = 30.0
"""Seconds after which it looks without having been rung: a ring may be lost."""
GRACE = 2.0
"""Seconds that deliveries under way have when the process ends: what is not taken by then is told again later."""


class Nudge:
    """A bell between two threads of one process."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, timeout: float) -> bool:
        rung = self._rung.wait(timeout)
        self._rung.clear()
        return rung


class Post:
    def __init__(self, settings: Settings, database: Database, runner: Runner[World]) -> None:
        self._database = database
        self._bell, self._nudge = Doorbell(settings, ROLE), Nudge()
        self._pool = Pool(runner, self._nudge, settings.webhooks.threads)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._turn, name="post", daemon=True)

    def start(self) -> None:
        self._pool.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._bell.ring({ROLE})
        self._thread.join(GRACE)
        self._pool.stop(GRACE)
        self._bell.close()

    def _turn(self) -> None:
        while not self._stopped.is_set():
            self._look()
            self._bell.wait(LOOK_EVERY)

    def _look(self) -> None:
        try:
            deliver_webhook.begin(self._database)
        except DATABASE_AWAY as away:
            log.warning("the control database does not answer", extra={"error": str(away)})
        except Exception:
            log.exception("webhooks cannot be looked at")
        self._nudge.ring()
