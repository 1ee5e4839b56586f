"""The overrides that are in force: what is kept of them, through every death of the agent, and what is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.agent.configuration import Configuration, difference, sentence
from argosy.agent.service import Status
from argosy.agent.words import complaints

BAD, REFUSED, LATE = "does not start", "refused", "late"


class Killed(BaseException):
    """The agent is not there any more."""


@dataclass
class Machine:
    """A guest whose server reads its settings when it starts; dies at any touch that `killed_at` counts down to."""

    directory: Path
    file: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    starts: int = 0
    running: bool = False
    killed_at: int = -1

    @property
    def service(self) -> Machine:
        return self

    def driver(self) -> Machine:
        return self

    def configure(self, overrides: Mapping[str, Any]) -> bool:
        self.touch()
        if REFUSED in overrides.values():
            raise errors.Unprocessable("it refuses")
        self.file = {name: value for name, value in overrides.items() if value is not None}
        self.touch()
        self.live = {**self.live, **overrides} if self.running else self.live
        return self.running and LATE in self.file.values()

    def status(self) -> Status:
        self.touch()
        return Status(running=self.running, wanted=True, pid=self.starts, starts=self.starts)

    def start(self) -> bool:
        self.running = BAD not in self.file.values()
        self.starts += 1
        self.live = dict(self.file) if self.running else {}
        return self.running

    def touch(self) -> None:
        self.killed_at -= 1
        if self.killed_at == 0:
            raise Killed


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def made(machine: Machine) -> Configuration:
    """A server that started with one setting, and answered."""
    configuration = agent(machine)
    configuration.apply({"a": 1})
    machine.start()
    configuration.prove(machine.status())
    return configuration


def agent(machine: Machine) -> Configuration:
    return Configuration(machine)  # type: ignore[arg-type] # as far as it is touched


def test_what_is_in_force_is_written_again_without_being_told(machine: Machine, made: Configuration) -> None:
    assert made.apply() is False
    assert agent(machine).apply() is False
    assert machine.file == {"a": 1}


def test_what_left_is_the_servers_own_again(machine: Machine, made: Configuration) -> None:
    made.apply({"b": 2})
    assert machine.live == {"a": None, "b": 2}
    made.apply({})
    assert machine.live == {"a": None, "b": None}
    assert machine.file == {}


def test_a_server_that_does_not_start_gets_back_what_it_had(machine: Machine, made: Configuration) -> None:
    made.apply({"a": 1, "b": BAD})
    assert not machine.start()
    assert made.take_back("FATAL: no")
    assert machine.file == {"a": 1}
    assert machine.start()
    assert made.told() == {"taken_back": {"b": BAD}, "fault": made.notice()}
    assert "FATAL: no" in made.notice()
    assert not made.take_back("it was something else")


def test_what_a_running_server_took_at_once_stays(machine: Machine, made: Configuration) -> None:
    made.apply({"a": 1, "b": 2})
    made.apply({"a": 1, "b": 2, "c": LATE})
    machine.start()
    assert made.take_back("FATAL: no")
    assert machine.file == {"a": 1, "b": 2}


def test_and_goes_too_where_that_was_not_all(machine: Machine, made: Configuration) -> None:
    made.apply({"a": 1, "b": BAD})
    made.apply({"a": 1, "b": BAD, "c": LATE})
    assert made.take_back("FATAL: c")
    assert not machine.start()
    assert made.take_back("FATAL: b")
    assert machine.start()
    assert machine.file == {"a": 1}
    assert made.told()["taken_back"] == {"b": BAD, "c": LATE}


def test_what_a_running_server_refuses_is_taken_back_at_once(machine: Machine, made: Configuration) -> None:
    assert made.apply({"a": 1, "b": REFUSED}) is False
    assert machine.file == {"a": 1}
    assert "it refuses" in made.notice()
    made.apply({"a": 3})
    assert made.notice() == ""


def test_only_another_process_proves_anything(machine: Machine, made: Configuration) -> None:
    made.apply({"a": LATE})
    made.prove(machine.status())
    assert made.take_back("FATAL: no")
    made.apply({"a": LATE})
    machine.start()
    made.prove(machine.status())
    assert not made.take_back("FATAL: no")


@pytest.mark.parametrize("moment", range(1, 9))
def test_an_agent_killed_at_any_moment_ends_where_it_would_have(
    machine: Machine, made: Configuration, moment: int
) -> None:
    """The verb comes again, and so does the next look at the server."""
    machine.killed_at = moment

    def attempt(configuration: Configuration) -> None:
        configuration.resume()
        configuration.apply({"a": 1, "b": BAD})
        while not machine.start():
            assert configuration.take_back("FATAL: no")
        configuration.prove(machine.status())

    try:
        attempt(made)
    except Killed:
        attempt(agent(machine))
    last = agent(machine)
    last.resume()
    assert machine.file == {"a": 1}
    assert machine.running
    assert last.told()["taken_back"] == {"b": BAD}


def test_a_file_that_cannot_be_read_counts_as_none(machine: Machine) -> None:
    (machine.directory / "overrides.json").write_text("{")
    assert agent(machine).apply() is False
    assert machine.file == {}


def test_differences_are_told_in_a_sentence() -> None:
    refused = difference({"a": 1, "b": 2}, {"b": 1, "c": 3})
    assert refused == {"a": 1, "b": 2, "c": None}
    assert sentence(refused).startswith("a = 1, b = 2 and the default of c was taken back")


TAILS = {
    "2026-11-21 05:50:06.1 UTC [29] LOG:  shut down\n2026-11-21 05:50:06.2 UTC [52] FATAL:  no\n"
    "2026-11-21 05:50:06.3 UTC [53] FATAL:  no\n": "FATAL:  no",
    "2026-11-21  6:10:08 0 [Note] Starting\n2026-11-21  6:10:08 0 [ERROR] unknown variable 'x'\n": (
        "[ERROR] unknown variable 'x'"
    ),
    "*** FATAL CONFIG FILE ERROR ***\nReading the file, at line 3\n>>> 'x y'\nBad directive\n": (
        "*** FATAL CONFIG FILE ERROR *** | >>> 'x y' | Bad directive"
    ),
    "hello\nworld\n": "hello | world",
}


@pytest.mark.parametrize("tail", TAILS)
def test_what_a_server_complained_of(tail: str) -> None:
    assert complaints(tail) == TAILS[tail]
