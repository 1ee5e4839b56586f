"""Several worker processes, killed at random all the while: every operation ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from building import Building, Site, abandon, answer_letters, build, counted, fresh_directory
from sampling import seed, size
from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.durable import queue, workers
from argosy.testing import crashes


@dataclass
class Crew:
    """Worker processes. Who dies is reaped and replaced at once, as the supervisor does."""

    village: Building
    database: Database
    size: int = 3
    started: dict[int, int] = field(default_factory=dict)

    def fill(self) -> None:
        while len(self.started) < self.size:
            child = os.fork()
            if child == 0:
                _be_a_worker(self.village, self.database)
            self.started[child] = workers.started(child) or 0

    def kill(self, child: int) -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        workers.reap(self.database, child, self.started.pop(child))


def _be_a_worker(village: Building, database: Database) -> None:
    try:
        database.dispose()
        crashes.work(village, database, lambda _point: None)
        time.sleep(3600)
    finally:
        os._exit(1)


def test_random_kills(database: Database, tmp_path: Path) -> None:
    """New operations are asked for until enough workers have died; then all of them come to their end."""
    dice, wanted = random.Random(seed()), size(6, 150)
    village = Building(fresh_directory(tmp_path))
    crew, kills, houses = Crew(village, database), 0, 0
    try:
        while kills < wanted or crashes.unfinished(database):
            if kills < wanted:
                houses = _ask_for(database, houses, 3)
            crew.fill()
            time.sleep(dice.random() * 0.5)
            answer_letters(database)
            crew.kill(dice.choice(list(crew.started)))
            kills += 1
            assert kills < 10 * wanted + 100, crashes.unfinished(database)
    finally:
        for child in list(crew.started):
            crew.kill(child)
    crashes.settled(database)
    _check(database, village, houses)


def _ask_for(database: Database, houses: int, more: int) -> int:
    with database.write() as session:
        for number in range(houses, houses + more):
            queue.enqueue(session, abandon if number % 3 == 0 else build, f"house{number}", shared=["ground"])
    return houses + more


def _check(database: Database, village: Building, houses: int) -> None:
    with database.read() as session:
        runs = session.scalars(select(Run)).all()
    assert {(run.workflow, run.state) for run in runs} == {("abandon", "failed"), ("build", "done")}
    built = {run.subject for run in runs if run.workflow == "build"}
    assert len(runs) == houses
    assert Site(village.directory).there() == {f"{house}-{thing}" for house in built for thing in ("volume", "port")}
    for run in runs:
        once = ("volumes", "ready") if run.workflow == "build" else ("abandoned",)
        assert [counted(database, f"{run.subject} {what}") for what in once] == [1] * len(once), run.subject
