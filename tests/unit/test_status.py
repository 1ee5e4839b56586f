"""What the owner of an instance reads, from the facts."""

import dataclasses
import itertools

import pytest

from argosy.model.guest import Health
from argosy.model.status import FULL, SILENT, Facts, Task, complaint, operating_status, status

TROVE = {
    "ACTIVE", "BUILD", "REBOOT", "RESIZE", "UPGRADE", "RESTART_REQUIRED", "PROMOTE", "EJECT", "DETACH", "SHUTDOWN",
    "ERROR",
}  # fmt: skip
TROVE_OPERATING = {
    "", "HEALTHY", "ACTIVE", "BLOCKED", "SHUTDOWN", "FAILED", "BUILD", "PROMOTE", "EJECT", "LOGGING", "ERROR", "NEW",
    "DELETED", "RESTART_REQUIRED", "UPGRADING", "RESTARTING",
}  # fmt: skip
EVERYTHING = [
    Facts(task, health, silent=silent) for task, health, silent in itertools.product(Task, Health, (False, True))
]


@pytest.mark.parametrize("facts", EVERYTHING, ids=str)
def test_every_state_has_words_that_trove_knows(facts: Facts) -> None:
    assert status(facts) in TROVE
    assert operating_status(facts) in TROVE_OPERATING


@pytest.mark.parametrize("facts", EVERYTHING, ids=str)
def test_healthy_is_said_only_of_what_is(facts: Facts) -> None:
    truly = facts.task == Task.NONE and facts.health == Health.HEALTHY and not facts.silent
    assert (operating_status(facts) == "HEALTHY") is truly


@pytest.mark.parametrize("facts", EVERYTHING, ids=str)
def test_an_operation_hides_the_health(facts: Facts) -> None:
    """While something is being done a server may well be down: pollers must not take that for the end of it."""
    assert (operating_status(facts) == "") is (facts.task != Task.NONE)


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        (Task.NONE, "ACTIVE"),
        (Task.BUILDING, "BUILD"),
        (Task.REBOOTING, "REBOOT"),
        (Task.RESIZING, "RESIZE"),
        (Task.UPGRADING, "UPGRADE"),
        (Task.RESTART_REQUIRED, "RESTART_REQUIRED"),
        (Task.PROMOTING, "PROMOTE"),
        (Task.EJECTING, "EJECT"),
        (Task.DETACHING, "DETACH"),
        (Task.UPDATING, "ACTIVE"),
        (Task.STOPPING, "SHUTDOWN"),
        (Task.DELETING, "SHUTDOWN"),
        (Task.ERROR, "ERROR"),
    ],
)
def test_the_task_decides_the_status(task: Task, shown: str) -> None:
    assert status(Facts(task)) == shown


@pytest.mark.parametrize(
    ("health", "shown"),
    [
        (Health.HEALTHY, "HEALTHY"),
        (Health.BLOCKED, "BLOCKED"),
        (Health.DOWN, "SHUTDOWN"),
        (Health.STOPPED, "SHUTDOWN"),
        (Health.FAILED, "FAILED"),
        (Health.STARTING, "RESTARTING"),
        (Health.NEW, "NEW"),
        (Health.UNKNOWN, "ERROR"),
    ],
)
def test_health_decides_when_nothing_is_being_done(health: Health, shown: str) -> None:
    assert operating_status(Facts(Task.NONE, health)) == shown
    assert operating_status(Facts(Task.NONE, health, silent=True)) == "ERROR"


@pytest.mark.parametrize("facts", EVERYTHING, ids=str)
def test_what_its_owner_stopped_is_shut_down_however_it_is(facts: Facts) -> None:
    stopped = dataclasses.replace(facts, stopped=True, words="connection refused")
    idle = facts.task == Task.NONE
    assert operating_status(stopped) == ("SHUTDOWN" if idle else "")
    assert complaint(stopped) == ""
    assert not idle or status(stopped) == "SHUTDOWN"


def test_what_is_stored_as_text_is_good_enough() -> None:
    assert status(Facts("BUILDING")) == "BUILD"
    assert operating_status(Facts("NONE", "healthy")) == "HEALTHY"


@pytest.mark.parametrize("facts", EVERYTHING, ids=str)
def test_what_starts_or_is_worked_on_does_not_complain(facts: Facts) -> None:
    said = complaint(dataclasses.replace(facts, words="the disk is gone"))
    assert not said or operating_status(facts) in {"HEALTHY", "BLOCKED", "SHUTDOWN", "FAILED", "ERROR"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(Task.NONE, Health.HEALTHY), ""),
        (Facts(Task.NONE, Health.HEALTHY, words="jit = 7 was taken back"), "jit = 7 was taken back"),
        (Facts(Task.NONE, Health.HEALTHY, full=True), FULL),
        (Facts(Task.NONE, Health.STARTING, words="connection refused"), ""),
        (Facts(Task.NONE, Health.FAILED, words="no such file"), "no such file"),
        (Facts(Task.NONE, Health.FAILED, words="no space left", full=True), f"no space left; {FULL}"),
        (Facts(Task.NONE, Health.HEALTHY, silent=True, words="all is well"), SILENT),
        (Facts(Task.REBOOTING, Health.FAILED, words="no such file"), ""),
    ],
)
def test_a_complaint_has_the_guests_words_or_a_cure(facts: Facts, said: str) -> None:
    assert complaint(facts) == said
