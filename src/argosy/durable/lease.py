"""What this worker holds: leases are renewed while a thread works on the run, and given back when one cannot go on."""

from __future__ import annotations

import logging
import threading

from sqlalchemy import update

from argosy.clock import Clock
from argosy.db.session import Database, ring
from argosy.db.tables import Run
from argosy.durable import moves
from argosy.durable.claims import DATABASE_AWAY, Lease, changed

log = logging.getLogger(__name__)

SHORTEST = 30.0
"""seconds: below it a busy machine loses leases for no fault of its own (measured, reference control-plane 1.4)"""

RETRY = 1.0
"""seconds between two tries to give a run back while the database is away"""


class Leases:
    """The runs that threads of this worker carry. Safe to share between them."""

    def __init__(self, database: Database, worker: str, now: Clock, seconds: float = SHORTEST) -> None:
        self.worker = worker
        self.seconds = seconds
        self.closed = threading.Event()
        """set when the process ends: what cannot be given back then is taken over by others"""
        self._database = database
        self._now = now
        self._carried: dict[str, Run] = {}

    def offer(self, run: Run, now: float) -> Lease:
        """A lease to claim this run with. It is renewed until the run is discarded."""
        self._carried[run.id] = run
        return Lease(self.worker, now, now + self.seconds)

    def discard(self, run: Run) -> None:
        self._carried.pop(run.id, None)

    def renew(self) -> None:
        """Prolong what is carried, but not what hangs one lease past its deadline: others may look at that."""
        now = self._now()
        alive = [run.id for run in list(self._carried.values()) if now < (run.deadline_at or now) + self.seconds]
        if alive:
            mine = (Run.worker == self.worker) & Run.id.in_(alive) & (Run.state == "active")
            with self._database.write() as session:
                changed(session, update(Run).where(mine).values(lease_until=now + self.seconds))

    def give_back(self, run: Run) -> None:
        """Let others have the run after a pause, if it is still ours. Waits until the database answers."""
        while not self.closed.is_set():
            try:
                return self._give_back(run)
            except DATABASE_AWAY as away:
                log.warning("the control database does not answer", extra={"error": str(away)})
                self.closed.wait(RETRY)
        return None

    def _give_back(self, run: Run) -> None:
        mine = (Run.id == run.id) & (Run.epoch == run.epoch) & (Run.worker == self.worker) & (Run.state == "active")
        later = self._now() + moves.pause(run.attempt)
        with self._database.write() as session:
            changed(session, update(Run).where(mine).values(worker=None, lease_until=0.0, wake_at=later))
            ring(session, "taskmanager")
