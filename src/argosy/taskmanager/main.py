"""The process that runs operations: threads around `durable.Runner`, until SIGTERM."""

from __future__ import annotations

import logging
import signal
import threading

from argosy import logs
from argosy.db import sealed
from argosy.db.session import Database
from argosy.durable import workers
from argosy.durable.doorbell import Doorbell
from argosy.durable.lease import SHORTEST, Leases
from argosy.durable.pool import Pool
from argosy.durable.runner import Runner
from argosy.durable.timers import Timers
from argosy.durable.times import DatabaseClock
from argosy.durable.workers import Heartbeat
from argosy.settings import BadSetting, Settings

log = logging.getLogger(__name__)

ROLE = "taskmanager"


def run(settings: Settings) -> int:
    """Work until SIGTERM; steps under way may end, and what is not finished goes on elsewhere or later."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    logs.start(ROLE)
    sealed.use(settings.keys / "master.key")
    database, bell = Database(settings.database_url), Doorbell(settings, ROLE)
    database.ring = bell.ring
    try:
        _work(settings, database, bell, stopped)
    finally:
        bell.close()
        database.dispose()
    return 0


def _work(settings: Settings, database: Database, bell: Doorbell, stopped: threading.Event) -> None:
    from argosy.taskmanager.post import Post
    from argosy.workflows import offers, registry, timers, world
    from argosy.workflows.deliver_webhook import deliver_webhook

    here = world.build(settings)
    offers.refresh(database, here.provider)  # first of all: until then the API has nothing to offer
    now = DatabaseClock(database)
    leases = Leases(database, workers.register(database, now), now, lease_seconds(settings))
    operations = {name: each for name, each in registry.WORKFLOWS.items() if each is not deliver_webhook}
    runner = Runner(database, operations, here, now, leases)
    pool = Pool(runner, bell, settings.taskmanager.threads)
    recurring = Timers(database, timers.TIMERS, now)
    carrier = Runner(database, {deliver_webhook.name: deliver_webhook}, here, now, leases)
    mail = Post(settings, database, carrier)
    for part in (Heartbeat(database, leases, now), recurring, pool, mail):
        part.start()
    log.info("working", extra={"worker": leases.worker, "threads": settings.taskmanager.threads})
    stopped.wait()
    recurring.stop()
    runner.stopping = True
    bell.ring({ROLE})
    pool.stop()
    mail.stop()
    leases.closed.set()
    workers.unregister(database, leases.worker)
    log.info("stopped")


def lease_seconds(settings: Settings) -> float:
    """Raises BadSetting."""
    if settings.taskmanager.lease_seconds < SHORTEST:
        raise BadSetting(f"taskmanager.lease_seconds must be at least {SHORTEST:g}")
    return settings.taskmanager.lease_seconds
