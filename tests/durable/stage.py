"""A worker in a test: its runner, its leases, and a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Run, RunStep
from argosy.durable import queue
from argosy.durable.lease import Leases
from argosy.durable.runner import Runner
from argosy.durable.workflow import Workflow


@dataclass
class Ticks:
    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Stage:
    database: Database
    workflows: tuple[Workflow[Any], ...]
    world: Any = None
    now: Ticks = field(default_factory=Ticks)

    def worker(self, name: str = "worker") -> Runner[Any]:
        known = {workflow.name: workflow for workflow in self.workflows}
        return Runner(self.database, known, self.world, self.now, Leases(self.database, name, self.now))

    def enqueue(self, workflow: Workflow[Any] | None = None, subject: str = "house", **options: Any) -> str:
        with self.database.write() as session:
            return queue.enqueue(session, workflow or self.workflows[0], subject, **options).id

    def work(self) -> None:
        """Until nothing is due."""
        worker = self.worker()
        while worker.run_once():
            pass

    def run(self, run_id: str) -> Run:
        with self.database.read() as session:
            return session.get_one(Run, run_id)

    def steps(self, run_id: str) -> list[RunStep]:
        with self.database.read() as session:
            mine = select(RunStep).where(RunStep.run_id == run_id)
            return list(session.scalars(mine.order_by(RunStep.position)))

    def wake(self, run_id: str) -> None:
        with self.database.write() as session:
            queue.wake(session, run_id)
