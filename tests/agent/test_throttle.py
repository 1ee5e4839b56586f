"""A limit on bytes per second, by a clock that only moves while somebody waits."""

from __future__ import annotations

import pytest

from argosy.agent.throttle import BURST_SECONDS, Throttle


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def throttle(rate: int, time: Time) -> Throttle:
    return Throttle(rate, time.now, time.sleep)


@pytest.mark.parametrize("piece", [1, 100, 1000, 5000])
def test_no_more_than_the_rate_gets_through(piece: int) -> None:
    time = Time()
    limited = throttle(1000, time)
    for _ in range(20_000 // piece):
        limited.take(piece)
    assert 20 - BURST_SECONDS - piece / 1000 <= time.at <= 20


def test_a_pause_saves_nothing_up() -> None:
    time = Time()
    limited = throttle(1000, time)
    time.sleep(3600)
    limited.take(2000)
    assert time.at - 3600 == pytest.approx(2 - BURST_SECONDS)


def test_without_a_limit_nobody_waits() -> None:
    time = Time()
    throttle(0, time).take(1 << 40)
    assert time.at == 0
