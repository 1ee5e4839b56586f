"""Steps as they are shown while somebody waits."""

import io

import pytest

from argosy.cli.waiting import Steps
from argosy.client.words import pace


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


DONE = {"name": "volume", "state": "done", "seconds": 0.052, "ended": "…", "attempts": 1}
AGAIN = {"name": "network", "state": "done", "seconds": 1.5, "ended": "…", "attempts": 3}
FAILED = {"name": "server", "state": "failed", "seconds": 2, "ended": "…", "attempts": 1, "error": "no memory left"}
UNDER_WAY = {"name": "guest", "state": "waiting", "attempts": 1, "waiting_for": "the guest is preparing"}


def operation(*steps: object) -> dict[str, object]:
    return {"id": "one", "operation": "create_instance", "steps": list(steps)}


def test_a_step_is_told_once_when_it_has_ended() -> None:
    steps = Steps(io.StringIO())
    steps.show(operation(UNDER_WAY))
    steps.show(operation(DONE, UNDER_WAY))
    steps.show(operation(DONE, AGAIN, FAILED))
    assert steps.out.getvalue().splitlines() == [
        "  volume         done      0.052 s",
        "  network        done      1.500 s after 3 attempts",
        "  server         failed    2.000 s: no memory left",
    ]


def test_a_terminal_sees_the_step_under_way_and_what_it_waits_for() -> None:
    steps = Steps(Terminal())
    steps.show(operation(DONE, UNDER_WAY))
    assert steps.out.getvalue().endswith("  guest          … the guest is preparing")
    steps.clear()
    assert steps.out.getvalue().endswith("\r\033[K")


UPLOAD = {
    "done": 1_230_000_000,
    "total": 2_900_000_000,
    "unit": "bytes",
    "percent": 42.4,
    "per_second": 35_000_000,
    "seconds_left": 48,
}


def test_a_terminal_sees_how_far_long_work_is() -> None:
    steps = Steps(Terminal())
    steps.show({**operation(DONE, {**UNDER_WAY, "name": "upload"}), "progress": UPLOAD})
    assert steps.out.getvalue().endswith("  upload         … 42.4 %, 1.23 GB of 2.9 GB, 35 MB/s, 48 s left")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "42.4 %, 1.23 GB of 2.9 GB, 35 MB/s, 48 s left"),
        ({"done": 0, "percent": 0.0, "per_second": None, "seconds_left": None}, "0 %, 0 B of 2.9 GB"),
        ({"total": None, "percent": None, "seconds_left": None}, "1.23 GB, 35 MB/s"),
        ({"done": 3, "total": 7, "unit": "files"}, "3 of 7 files"),
        ({"done": 3, "total": None, "unit": "files"}, "3 of ? files"),
    ],
)
def test_what_is_not_known_is_not_said(told: dict[str, object], said: str) -> None:
    assert pace({**UPLOAD, **told}) == said
