"""How much of the long tests is done: a sample by a printed seed, or with ARGOSY_SOAK=1 the whole."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

SOAK = os.environ.get("ARGOSY_SOAK") == "1"


def sampled(share: float) -> Callable[[int], bool]:
    """Chooses about this share of the points. ARGOSY_SEED repeats a choice."""
    dice = random.Random(seed())
    return lambda _number: SOAK or dice.random() < share


def seed() -> int:
    chosen = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))
    print(f"ARGOSY_SEED={chosen}")
    return chosen


def size(sample: int, whole: int) -> int:
    return whole if SOAK else sample
