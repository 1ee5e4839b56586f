"""A workflow like `create_instance`, and one that fails half way and tidies up, in a world made of files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Fact, Run, RunStep
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.testing.crashes import Passes


@dataclass(frozen=True)
class Site:
    """Things are files; every act is a line of the log, so that what was done twice is seen."""

    directory: Path
    passes: Passes = lambda _name: None

    def ensure(self, thing: str) -> None:
        if not (self.directory / thing).exists():
            self._act(thing, (self.directory / thing).touch)

    def remove(self, thing: str) -> None:
        self._act(f"remove-{thing}", lambda: (self.directory / thing).unlink(missing_ok=True))

    def calls(self, thing: str) -> int:
        """How often this was asked for, this time included; kept outside the worker."""
        with (self.directory / f"{thing}.calls").open("ab+") as tally:
            tally.write(b"x")
            return tally.tell()

    def there(self) -> set[str]:
        return {path.name for path in self.directory.iterdir() if not path.suffix}

    def _act(self, name: str, effect: Any) -> None:
        self.passes(f"before {name}")
        effect()
        with (self.directory / "acts.log").open("ab", buffering=0) as log:
            log.write(f"{name}\n".encode())
        self.passes(f"after {name}")


def count(session: Session, name: str) -> None:
    """A record that shows when it was written twice."""
    fact = session.get(Fact, name, with_for_update=True)
    if fact is None:
        session.add(Fact(name=name, value=1))
    else:
        fact.value += 1


def counted(database: Database, name: str) -> int:
    with database.read() as session:
        fact = session.get(Fact, name)
        return 0 if fact is None else int(fact.value)


build: Workflow[Site] = Workflow("build", cancellable=True)


@build.step(minutes=5)
def volume(ctx: Context[Site]) -> Outcome:
    ctx.world.ensure(f"{ctx.subject}-volume")
    ctx.memory["volume"] = "made"
    ctx.record(lambda session: count(session, f"{ctx.subject} volumes"))
    return None


@build.step(minutes=5)
def network(ctx: Context[Site]) -> Outcome:
    """Not to be had at first."""
    if ctx.world.calls(f"{ctx.subject}-network") < 2:
        raise errors.CloudBusy("no address is free just now")
    ctx.world.ensure(f"{ctx.subject}-port")
    return None


@build.step(minutes=5)
def guest(ctx: Context[Site]) -> Outcome:
    """Ask once, and wait to be woken by the answer."""
    letter = f"letter-{ctx.run.id}"
    with ctx.database.read() as session:
        sent = session.get(Fact, letter)
    if sent is None:
        ctx.record(lambda session: session.add(Fact(name=letter, value="")))
        return Wait(100, "the guest is asked")
    if not sent.value:
        return Wait(100, "the guest is thinking")
    assert ctx.memory["volume"] == "made"
    return None


@build.step(minutes=5)
def ready(ctx: Context[Site]) -> Outcome:
    ctx.record(lambda session: count(session, f"{ctx.subject} ready"))
    return None


@build.on_failure
def failed(session: Session, _run: Run, _fault: str) -> None:
    count(session, "failed")


@dataclass(frozen=True)
class Building:
    """The straight way."""

    directory: Path
    workflows: Mapping[str, Workflow[Any]] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.directory.mkdir()
        object.__setattr__(self, "workflows", {"build": build, "demolish": demolish, "abandon": abandon})

    def start(self, session: Session) -> None:
        queue.enqueue(session, build, "house", also=["ground"], key="secret")

    def world(self, passes: Passes) -> Site:
        return Site(self.directory, passes)

    def meanwhile(self, database: Database) -> None:
        answer_letters(database)

    def check(self, database: Database) -> None:
        acts = (self.directory / "acts.log").read_text().split()
        assert Site(self.directory).there() == {"house-volume", "house-port"}
        assert set(acts) == {"house-volume", "house-port"}
        assert counted(database, "house volumes") == counted(database, "house ready") == 1
        assert counted(database, "failed") == 0
        assert timeline(database, "build") == [(name, "done") for name in build.steps]


def answer_letters(database: Database) -> None:
    with database.write() as session:
        for letter in session.scalars(select(Fact).where(Fact.name.like("letter-%"))):
            if not letter.value:
                letter.value = "done"
                queue.wake(session, letter.name.removeprefix("letter-"))


def timeline(database: Database, workflow: str) -> list[tuple[str, str]]:
    with database.read() as session:
        steps = select(RunStep).join(Run, Run.id == RunStep.run_id).where(Run.workflow == workflow)
        rows = session.scalars(steps.order_by(RunStep.position)).all()
    assert [row.position for row in rows] == list(range(len(rows)))
    return [(row.name, row.state) for row in rows]


abandon: Workflow[Site] = Workflow("abandon")


@abandon.step(detour="clear")
def begin(ctx: Context[Site]) -> Outcome:
    ctx.world.ensure(f"{ctx.subject}-volume")
    return None


@abandon.step(detour="clear")
def stumble(ctx: Context[Site]) -> Outcome:
    ctx.world.ensure(f"{ctx.subject}-port")
    raise errors.CloudFailed("the ground gave way")


@abandon.detour()
def clear(ctx: Context[Site]) -> Outcome:
    ctx.world.remove(f"{ctx.subject}-port")
    ctx.world.remove(f"{ctx.subject}-volume")
    return None


@abandon.on_failure
def abandoned(session: Session, run: Run, fault: str) -> None:
    assert fault == "the ground gave way"
    count(session, f"{run.subject} abandoned")


@dataclass(frozen=True)
class Abandoning(Building):
    def start(self, session: Session) -> None:
        queue.enqueue(session, abandon, "house", shared=["ground"])

    def check(self, database: Database) -> None:
        assert Site(self.directory).there() == set()
        assert counted(database, "house abandoned") == 1
        expected = [("begin", "done"), ("stumble", "failed"), ("clear", "done")]
        assert timeline(database, "abandon") == expected
        with database.read() as session:
            run = session.scalars(select(Run)).one()
            assert (run.state, run.fault) == ("failed", "the ground gave way")


demolish: Workflow[Site] = Workflow("demolish", urgency=10)


@demolish.step(minutes=60)
def hold(ctx: Context[Site]) -> Outcome:
    return queue.await_hold(ctx, ctx.subject, "ground")


@demolish.step()
def remove(ctx: Context[Site]) -> Outcome:
    for thing in ("port", "volume"):
        ctx.world.remove(f"{ctx.subject}-{thing}")
    return None


@demolish.step()
def forget(ctx: Context[Site]) -> Outcome:
    ctx.record(lambda session: count(session, "demolished"))
    return None


@dataclass(frozen=True)
class Demolishing(Building):
    """Asked for while the house is being built: the building is pre-empted, and may have been anywhere."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            if session.scalar(select(Run.id).where(Run.workflow == "demolish")) is None:
                queue.enqueue(session, demolish, "house", patient=True)

    def check(self, database: Database) -> None:
        assert Site(self.directory).there() == set()
        assert counted(database, "demolished") == 1
        assert counted(database, "failed") == 1
        with database.read() as session:
            states = {run.workflow: run.state for run in session.scalars(select(Run))}
        assert states == {"build": "cancelled", "demolish": "done"}


def fresh_directory(parent: Path) -> Path:
    return parent / os.urandom(6).hex()
