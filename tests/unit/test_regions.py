"""Which region has a backup: all are asked at once, and only those that matter are waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.settings import Settings
from argosy.stores.base import NoSuchObject, StoreUnreachable
from argosy.workflows import regions

Answer = Callable[[], None]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def ask(here: Answer, **others: Answer) -> str:
        answers = {"": here, **others}
        monkeypatch.setattr("argosy.stores.deployment.store", lambda _settings, region: Told(answers[region]))
        return regions.holding(Settings(Path("/nowhere")), "a/b/c/manifest.json", list(answers))

    return ask


class Told:
    """A store that answers so."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def stat(self, _key: str) -> int:
        self._answer()
        return 1


def has() -> None: ...


def lacks() -> None:
    raise NoSuchObject


def away() -> None:
    raise StoreUnreachable("no route")


def test_all_are_asked_side_by_side(ask: Callable[..., str]) -> None:
    everybody = threading.Barrier(3)

    def together() -> None:
        everybody.wait(30)
        away()

    with pytest.raises(errors.Unavailable, match="region north: no route"):
        ask(lacks, north=together, south=together, west=together)


def test_nobody_waits_for_those_behind_the_one_that_has_it(ask: Callable[..., str]) -> None:
    over, waited = threading.Event(), list[bool]()

    def silent() -> None:
        waited.append(over.wait(30))

    assert ask(has, north=silent) == ""
    assert ask(away, north=has, south=silent) == "north"
    assert waited == []
    over.set()


def test_the_first_that_has_it_is_told(ask: Callable[..., str]) -> None:
    assert ask(lambda: time.sleep(0.1), north=has) == ""
    assert ask(lacks, north=lacks, south=has) == "south"
    with pytest.raises(errors.NotFound, match="nor in that of region north or south"):
        ask(lacks, north=lacks, south=lacks)
