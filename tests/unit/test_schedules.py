"""When schedules are due."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from argosy import errors
from argosy.model import schedules

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_it_is_due_by_the_clock_on_the_wall() -> None:
    assert schedules.following("30 2 * * *", BERLIN, at("2026-01-10T12:00")) == at("2026-01-11T02:30")
    assert schedules.following("30 2 * * *", BERLIN, at("2026-07-10T12:00")) == at("2026-07-11T02:30")


def test_a_time_that_summer_time_skips_runs_at_its_end() -> None:
    assert schedules.following("30 2 * * *", BERLIN, at("2026-03-28T12:00")) == at("2026-03-29T03:00")


def test_a_time_that_comes_twice_runs_once() -> None:
    assert schedules.due("30 2 * * *", BERLIN, at("2026-10-24T02:30"), at("2026-10-26T02:00")) == 2


def test_it_is_due_later_than_asked_even_at_the_very_second() -> None:
    assert schedules.following("0 * * * *", "UTC", 7200.0) == 10800.0


def test_what_was_due_meanwhile_is_counted() -> None:
    assert schedules.due("0 * * * *", "UTC", 3600.0, 3600.0) == 1
    assert schedules.due("0 * * * *", "UTC", 3600.0, 4 * 3600.0 + 1) == 4


def test_counting_ends_somewhere() -> None:
    assert schedules.due("* * * * *", "UTC", 0.0, 1e9) == schedules.MOST_COUNTED


@pytest.mark.parametrize(
    ("cron", "timezone", "words"),
    [
        ("* * * *", "UTC", "five fields"),
        ("61 * * * *", "UTC", "minute"),
        ("0 0 30 2 *", "UTC", "30 2"),
        ("0 0 * * *", "Mars/Olympus", "Mars/Olympus"),
        ("0 0 * * *", "../../etc/passwd", "time zone"),
        ("", "UTC", "five fields"),
    ],
)
def test_what_means_nothing_is_refused_in_words(cron: str, timezone: str, words: str) -> None:
    with pytest.raises(errors.BadRequest, match=words):
        schedules.check(cron, timezone)
