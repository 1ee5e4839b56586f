"""What is said of an engine, as a table of cases."""

from __future__ import annotations

import pytest

from argosy.agent.health import Sight, judge
from argosy.agent.service import Status
from argosy.model.guest import Health, Probe

HEALTHY, STARTING, BLOCKED = Probe(Health.HEALTHY, version="1"), Probe(Health.STARTING), Probe(Health.BLOCKED)
RUNS = Status(running=True, wanted=True, pid=7, starts=1)
DEAD = Status(running=False, wanted=True, starts=1, exit=-9, tail="out of memory")
STOPPED = Status(running=False, wanted=False, starts=1, exit=0)
NEVER = Status(running=False, wanted=False)

CASES = {
    "nothing was ever started": (Sight(NEVER, None), Health.NEW),
    "stopped as asked": (Sight(STOPPED, None, made=True), Health.STOPPED),
    "stopped, and init is a new one": (Sight(NEVER, None, made=True), Health.STOPPED),
    "it answers": (Sight(RUNS, HEALTHY, made=True), Health.HEALTHY),
    "it answers although it had died often": (Sight(RUNS, HEALTHY, made=True, vain=9), Health.HEALTHY),
    "it starts": (Sight(RUNS, STARTING, made=True, vain=1), Health.STARTING),
    "it hangs": (Sight(RUNS, BLOCKED, made=True, ran=100), Health.BLOCKED),
    "it died": (Sight(DEAD, None, made=True, vain=0), Health.DOWN),
    "it died again": (Sight(DEAD, None, made=True, vain=2), Health.DOWN),
    "it dies at every start": (Sight(DEAD, None, made=True, vain=3), Health.FAILED),
    "it is being tried once more": (Sight(RUNS, STARTING, made=True, vain=5, ran=0.1), Health.FAILED),
    "it recovers for long": (Sight(RUNS, STARTING, made=True, vain=5, ran=60), Health.STARTING),
    "init is away and the server answers": (Sight(None, HEALTHY), Health.HEALTHY),
    "init is away and the server hangs": (Sight(None, BLOCKED), Health.BLOCKED),
    "init is away and nothing answers": (Sight(None, STARTING), Health.UNKNOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_health(case: str) -> None:
    sight, expected = CASES[case]
    assert judge(sight).health is expected


def test_a_failed_server_speaks_for_itself() -> None:
    assert judge(Sight(DEAD, None, made=True, vain=3)).message == (
        "the server process was ended by signal 9: out of memory"
    )


def test_a_server_that_answers_keeps_what_its_driver_told() -> None:
    assert judge(Sight(RUNS, HEALTHY, made=True)) == HEALTHY
