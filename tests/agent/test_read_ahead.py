"""A stream that is read before it is asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from argosy.agent import stages
from argosy.agent.stages import PIECE, PIPE, Stage
from argosy.testing.waiting import eventually

DATA = os.urandom(2 * PIPE)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Whose ends the tests close."""
    before = threading.active_count()
    yield stages.pipe()
    eventually(lambda: threading.active_count() == before)


def written(into: int, data: bytes) -> Stage:
    def write() -> None:
        with stages.closing(into):
            stages.write(into, data)

    return Stage(write)


def test_all_of_it_comes_in_order(pipe: tuple[int, int]) -> None:
    source, into = pipe
    writing = written(into, DATA * 3)
    assert b"".join(bytes(each) for each in stages.read_ahead(source, 3 * PIECE)) == DATA * 3
    writing.check()


def test_who_writes_by_turns_need_not_wait(pipe: tuple[int, int]) -> None:
    """Only the first piece is asked for before all is written."""
    source, into = pipe
    writing = written(into, DATA)
    with closing(stages.read_ahead(source, 2 * PIPE)) as pieces:
        first = bytes(next(pieces))
        writing.check(20)
        assert first + b"".join(bytes(each) for each in pieces) == DATA


def test_no_more_is_held_than_was_allowed(pipe: tuple[int, int]) -> None:
    source, into = pipe
    writing = written(into, DATA + DATA)
    with closing(stages.read_ahead(source, PIPE)) as pieces:
        next(pieces)
        writing.join(0.5)
        assert os.fstat(into)  # open: it is not done
    writing.join()
    assert isinstance(writing.error, BrokenPipeError)


def test_what_cannot_be_read_is_raised(pipe: tuple[int, int]) -> None:
    source, into = pipe
    with stages.closing(source), pytest.raises(OSError, match="Bad file descriptor"):
        list(stages.read_ahead(into, PIECE))
