"""How much of the long tests is done: a sample by a printed seed, or with ARGOSY_SOAK=1 the whole."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable

SOAK = os.environ.get("ARGOSY_SOAK") == "1"


def sampled(share: float) -> Callable[[int], bool]:
    """Chooses about this share of the points. ARGOSY_SEED repeats a choice."""
    dice = random.Random(seed())
    return lambda _number: SOAK or dice.random() < share


def at_most(number: int) -> Callable[[int], Iterable[int]]:
    """Chooses so many points of as many as there are. ARGOSY_SEED repeats a choice."""
    dice = random.Random(seed())

    def choose(points: int) -> Iterable[int]:
        numbers = range(1, points + 1)
        return numbers if SOAK or points <= number else sorted(dice.sample(numbers, number))

    return choose


def seed() -> int:
    chosen = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
    print(f"ARGOSY_SEED={chosen}")
    return chosen


def size(sample: int, whole: int) -> int:
    return whole if SOAK else sample
