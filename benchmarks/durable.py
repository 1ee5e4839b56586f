"""How fast the durable machine is, on each kind of control database, waiting for the disk as in production.

    python benchmarks/durable.py [runs]

Per database: runs of one step per second (one worker process, six threads), enqueues per second, and the median time
from a commit that enqueues to the end of a run of five steps on an idle worker.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.durable import queue, workers
from argosy.durable.doorbell import Doorbell
from argosy.durable.lease import Leases
from argosy.durable.pool import Pool
from argosy.durable.runner import Runner
from argosy.durable.times import DatabaseClock
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.settings import Settings
from argosy.testing import databases

THREADS = 6
SINGLE: Workflow[None] = Workflow("single")
FIVE: Workflow[None] = Workflow("five")


def step(_ctx: Context[None]) -> Outcome:
    return None


SINGLE.step()(step)
for number in range(5):
    named = type(step)(step.__code__, globals(), f"step{number}")
    FIVE.step()(named)


@contextmanager
def worker(database: Database, bell: Doorbell) -> Iterator[None]:
    now = DatabaseClock(database)
    leases = Leases(database, workers.register(database, now), now)
    pool = Pool(Runner(database, {"single": SINGLE, "five": FIVE}, None, now, leases), bell, THREADS)
    pool.start()
    yield
    pool.stop()


def enqueue(database: Database, runs: int) -> float:
    """Enqueues per second, each in a transaction of its own."""
    begun = time.perf_counter()
    for run in range(runs):
        with database.write() as session:
            queue.enqueue(session, SINGLE, f"subject {run}")
    return runs / (time.perf_counter() - begun)


def active(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Run).where(Run.state == "active")) or 0


def drain(database: Database, bell: Doorbell) -> float:
    """Runs per second."""
    runs, begun = active(database), time.perf_counter()
    with worker(database, bell):
        while active(database):
            time.sleep(0.02)
        return runs / (time.perf_counter() - begun)


def latency(database: Database, bell: Doorbell, runs: int = 30) -> list[float]:
    """Milliseconds from a commit to the end of five steps, one run at a time."""
    with worker(database, bell):
        time.sleep(0.2)
        return sorted(_one(database, f"latency {run}") for run in range(runs))


def _one(database: Database, subject: str) -> float:
    with database.write() as session:
        run_id = queue.enqueue(session, FIVE, subject).id
    begun = time.perf_counter()
    while True:
        with database.read() as session:
            if session.get_one(Run, run_id).state == "done":
                return 1000 * (time.perf_counter() - begun)
        time.sleep(0.001)


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        sealed.make(state / "master.key")
        sealed.use(state / "master.key")
        print(f"{'database':12} {'enqueues/s':>12} {'runs/s':>10} {'5 steps, median':>18} {'worst':>10}")
        for kind in databases.KINDS:
            with databases.serve(kind, durable=True) as server, server.fresh() as database:
                bell = Doorbell(Settings(state=state), "taskmanager")
                database.ring = bell.ring
                enqueues, drained, times = enqueue(database, runs), drain(database, bell), latency(database, bell)
                bell.close()
            middle, worst = statistics.median(times), times[-1]
            print(f"{kind:12} {enqueues:12.0f} {drained:10.0f} {middle:15.1f} ms {worst:7.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
