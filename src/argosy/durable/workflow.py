"""How an operation is written down: a name and its steps, in the order they are defined.

A step looks at the world and does at most one thing to it, outside any transaction, and returns

    None        done: go on with the next step
    Wait        not yet: call me again later, or when somebody wakes me

What it wants written it hands to `ctx.record`: that runs in the one short transaction which also moves the run, and
only if this worker still owns it. A step may be called any number of times, so it asks before it acts.

A step may name a detour: where to go when it fails, takes too long, or the run is cancelled. A detour tidies up, in
one step or in several that follow each other (`after`); when it is done, the run has failed with the fault that caused
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Run

World = TypeVar("World")
Record = Callable[[Session], object]


@dataclass(frozen=True)
class Wait:
    seconds: float
    """at most so long; a wake comes sooner"""
    reason: str
    """what the user reads under the operation"""


Outcome = Wait | None


@dataclass
class Context(Generic[World]):
    """What a step may touch."""

    run: Run
    """as it was claimed; detached"""
    world: World
    database: Database
    memory: dict[str, Any]
    """the run's small JSON memory: changes are kept with the step's commit"""
    records: list[Record] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return self.run.subject

    def record(self, write: Record) -> None:
        """Run `write(session)` in the fenced transaction that ends this call of the step."""
        self.records.append(write)


Function = Callable[[Context[World]], Outcome]
OnEnd = Callable[[Session, Run, str], None]
"""Called in the transaction that ends a failed or cancelled run, with the fault's text."""


@dataclass(frozen=True)
class Step(Generic[World]):
    name: str
    function: Function[World]
    seconds: float
    detour: str | None


class Workflow(Generic[World]):
    """Claimed only by workers that know this name and version."""

    def __init__(
        self, name: str, *, version: int = 1, cancellable: bool = False, urgency: int = 0, event: str = ""
    ) -> None:
        self.name = name
        self.event = event
        """its start, end or error is told as `dbaas.<event>.start`, …; empty: nobody is told of it"""
        self.version = version
        self.cancellable = cancellable
        self.urgency = urgency
        """a run that takes locks may pre-empt cancellable holders of lower urgency"""
        self.steps: dict[str, Step[World]] = {}
        self.detours: dict[str, Step[World]] = {}
        self.onward: dict[str, str] = {}
        """a detour's step -> the one that follows it"""
        self.aliases: dict[str, str] = {}
        """old name of a step -> its name now, kept for one release"""
        self.failed: OnEnd | None = None

    def step(
        self, *, minutes: float = 10, detour: str | None = None, formerly: str = ""
    ) -> Callable[[Function[World]], Function[World]]:
        """The next step. `minutes` is its deadline, counted from entering it and judged after a last look."""

        def define(function: Function[World]) -> Function[World]:
            self._define(self.steps, function, minutes, detour, formerly)
            return function

        return define

    def detour(
        self, *, minutes: float = 10, formerly: str = "", after: str = ""
    ) -> Callable[[Function[World]], Function[World]]:
        """`after`: the detour that goes on with this one."""

        def define(function: Function[World]) -> Function[World]:
            self._define(self.detours, function, minutes, None, formerly)
            if after:
                self.onward[after] = function.__name__
            return function

        return define

    def on_failure(self, function: OnEnd) -> OnEnd:
        self.failed = function
        return function

    def __getitem__(self, name: str) -> Step[World]:
        """The step or detour of this name, or of this former name. Raises KeyError."""
        name = self.aliases.get(name, name)
        return self.steps[name] if name in self.steps else self.detours[name]

    @property
    def first(self) -> str:
        return next(iter(self.steps))

    def after(self, name: str) -> str | None:
        """The step that follows; None after the last one, also of a detour."""
        name = self.aliases.get(name, name)
        return {**dict(pairwise(self.steps)), **self.onward}.get(name)

    def _define(
        self,
        table: dict[str, Step[World]],
        function: Function[World],
        minutes: float,
        detour: str | None,
        formerly: str,
    ) -> None:
        name = function.__name__
        table[name] = Step(name, function, minutes * 60, detour)
        if formerly:
            self.aliases[formerly] = name
