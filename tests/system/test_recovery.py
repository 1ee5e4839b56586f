"""Point-in-time recovery on the real product: any moment between two, and little is lost with a disk."""

from __future__ import annotations

import random
import time

import pytest
from owners import Owner
from recoverers import Recoverer

ENGINES = ("redis", "postgresql", "mariadb")
SEED = random.randrange(1 << 30)
CLOCK = 1.5
"""Seconds by which a moment may be missed: Redis notes seconds."""


@pytest.mark.parametrize("engine", ENGINES)
def test_moments_of_a_writer(owner: Owner, engine: str) -> None:
    writer = Recoverer(owner, engine, owner.ready(engine))
    writer.prepare()
    writer.enable()
    with writer.writing():
        time.sleep(6)  # what is tested is time
    writer.arrived(writer.written[-1])
    moment = random.Random(SEED).uniform(writer.written[0] + 1, writer.written[-1] - 1)
    found = writer.numbers(writer.at(moment))
    assert found, SEED
    assert abs(writer.written[found - 1] - moment) <= CLOCK, (SEED, moment, found)
    assert writer.numbers(writer.restored({"at": "latest"}, name="l")) == len(writer.written)
