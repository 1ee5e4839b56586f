"""A conductor and guests, as real processes in short-lived directories."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ordering import PASSWORD, fill

from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel


@pytest.fixture
def home() -> Iterator[Path]:
    """Short: Unix sockets are made in it."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def channel(home: Path) -> Iterator[Channel]:
    channel = Channel(home / "control")
    try:
        yield channel
    finally:
        channel.close()


@pytest.fixture
def guest(home: Path, channel: Channel) -> Iterator[Callable[..., RealGuest]]:
    """Makes guests, and ends them all."""
    made: list[RealGuest] = []

    def make(engine: str = "redis", **boot: Any) -> RealGuest:
        made.append(RealGuest(channel, home / f"g{len(made)}", engine, **boot))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def prepared(channel: Channel, guest: Callable[..., RealGuest]) -> RealGuest:
    channel.start()
    made = guest()
    made.start()
    made.do("prepare", master=PASSWORD)
    return made


@pytest.fixture
def filled(prepared: RealGuest) -> RealGuest:
    """With more than two parts of what cannot be compressed."""
    fill(prepared)
    return prepared
