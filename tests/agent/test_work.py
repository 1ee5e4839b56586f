"""Commands are done one after another, and never one twice."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.agent.door import Lost
from argosy.agent.journal import Journal
from argosy.agent.task import Task
from argosy.agent.work import LONG, QUICK, Work
from argosy.model import wire
from argosy.testing.waiting import eventually


class Bench:
    """Work with verbs of its own, on a thread of its own."""

    def __init__(self, file: Path) -> None:
        self.said: list[wire.Frame] = []
        self.done: list[str] = []
        self.go = threading.Event()
        self.failures: list[Exception] = []
        verbs = {"note": self.note, "hold": self.hold, "fail": self.fail, "count": self.count, "last": self.hold}
        self.work = Work(Journal(file), verbs, self.said.append, lambda: self.done.append("after"), {"last"})
        for lane in (QUICK, LONG):
            threading.Thread(target=self.work.run, args=(lane,), daemon=True).start()

    def note(self, task: Task, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.done.append(task.command.id)
        return dict(arguments)

    def hold(self, task: Task, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.done.append(task.command.id)
        while not self.go.is_set():
            task.pause(0.01)
        return {}

    def fail(self, _task: Task, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        if self.failures:
            raise self.failures.pop()
        return {"at": "last"}

    def count(self, task: Task, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        task.progress(1, 2, "rows")
        return {}

    def answer(self, name: str) -> wire.Answer:
        return eventually(lambda: next((f for f in self.said if isinstance(f, wire.Answer) and f.id == name), None))  # type: ignore[return-value]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "journal")


def test_a_command_is_done_once_however_often_it_comes(bench: Bench) -> None:
    for _ in range(3):
        bench.work.take(wire.Command("a", "note", {"x": 1}))
    bench.work.take(wire.Command("b", "note"))
    bench.answer("b")
    bench.work.take(wire.Command("a", "note", {"x": 2}))
    assert [f for f in bench.said if f.id == "a"] == [wire.Answer("a", {"x": 1})] * 2  # type: ignore[union-attr]
    assert bench.done == ["a", "after", "b", "after"]


def test_not_even_a_new_agent_does_it_twice(bench: Bench, tmp_path: Path) -> None:
    bench.work.take(wire.Command("a", "note", {"x": 1}))
    bench.answer("a")
    heir = Bench(tmp_path / "journal")
    heir.work.take(wire.Command("a", "note", {"x": 1}))
    assert heir.answer("a").result == {"x": 1}
    assert heir.done == []


def test_a_command_under_way_is_stopped(bench: Bench) -> None:
    bench.work.take(wire.Command("a", "hold"))
    eventually(lambda: bench.done)
    bench.work.cancel("a")
    assert (bench.answer("a").error, bench.answer("a").error_kind) == ("cancelled", "rejected")


def test_a_command_in_the_queue_never_begins_once_cancelled(bench: Bench) -> None:
    bench.work.take(wire.Command("a", "hold"))
    bench.work.take(wire.Command("b", "note"))
    bench.work.cancel("b")
    bench.go.set()
    assert bench.answer("b").error == "cancelled"
    assert "b" not in bench.done


def test_what_takes_long_holds_up_its_own_kind_only(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.work.take(wire.Command(name, "last"))
    bench.work.take(wire.Command("c", "note"))
    assert bench.answer("c").result == {}
    assert "b" not in bench.done
    bench.work.cancel("a")
    bench.go.set()
    assert (bench.answer("a").error, bench.answer("b").error) == ("cancelled", "")


def test_cancelling_what_never_came_answers_it(bench: Bench) -> None:
    bench.work.cancel("a")
    assert "before it began" in bench.answer("a").error
    bench.work.take(wire.Command("a", "note"))
    assert bench.done == []


def test_cancelling_what_was_done_answers_as_before(bench: Bench) -> None:
    bench.work.take(wire.Command("a", "note", {"x": 1}))
    bench.answer("a")
    bench.said.clear()
    bench.work.cancel("a")
    assert bench.answer("a").result == {"x": 1}


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (errors.GuestFailed("disk is broken"), "", "disk is broken"),
        (errors.NotSupported("no such thing"), "rejected", "no such thing"),
        (KeyError("password"), "", "fail: KeyError: 'password'"),
    ],
)
def test_an_error_says_who_must_act(bench: Bench, error: Exception, kind: str, text: str) -> None:
    bench.failures = [error]
    bench.work.take(wire.Command("a", "fail"))
    assert (bench.answer("a").error, bench.answer("a").error_kind) == (text, kind)


def test_what_is_not_available_is_tried_again(bench: Bench) -> None:
    bench.failures = [Lost("the conductor is away"), Lost("still away")]
    bench.work.take(wire.Command("a", "fail"))
    assert bench.answer("a").result == {"at": "last"}


def test_progress_is_said_before_the_answer(bench: Bench) -> None:
    bench.work.take(wire.Command("a", "count"))
    bench.answer("a")
    assert bench.said[0] == wire.Progress("a", 1, 2, "rows")


def test_a_term_that_is_over_is_refused(bench: Bench) -> None:
    bench.work.take(wire.Command("a", "note", {}, 3))
    bench.work.take(wire.Command("b", "note", {}, 2))
    bench.work.take(wire.Command("c", "note", {}, 3))
    assert bench.answer("b").error_kind == "rejected"
    assert bench.answer("c").error == ""
