"""Conductors as real processes, and doors to them."""

from __future__ import annotations

import functools
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.agent.door import Door, Link
from argosy.model import wire
from argosy.stores import deployment
from argosy.stores.base import Store
from argosy.testing import bringing
from argosy.testing.bringing import ATTEMPT, Bringing
from argosy.testing.channel import Channel

LAYERS = ("full", "increment")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Short: Unix sockets are made in it."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def channel(home: Path) -> Iterator[Channel]:
    """With a conductor that answers, and two regions, one of them told wrongly. Tests share it, each with guests of
    its own; who stops it, starts it again.
    """
    (home / "north").mkdir()
    channel = Channel(home, regions={"north": json.dumps({"path": str(home / "north")}), "south": "[]"})
    try:
        channel.start()
        yield channel
    finally:
        channel.close()


@pytest.fixture
def door(channel: Channel) -> Door:
    return Door(channel.url, channel.authority.pem)


Credential = Callable[[str], str]


@pytest.fixture
def credential(channel: Channel, door: Door) -> Credential:
    """Enrols a guest that is expected."""

    def enrol(guest: str) -> str:
        boot = channel.boot(guest)
        told = door.post("/v1/enrol", {name: boot[name] for name in ("guest", "generation", "token")})
        return str(told["credential"])

    return enrol


Greet = Callable[..., Link]


@pytest.fixture
def greet(channel: Channel, door: Door, credential: Credential) -> Iterator[Greet]:
    """A link that has said hello and heard welcome, of a guest that is new unless it is named."""
    links: list[Link] = []

    def hello(guest: str = "", shown: str = "", boot: str = "b1") -> Link:
        guest = guest or channel.expect()
        link = door.open(shown or credential(guest))
        links.append(link)
        link.send(wire.Hello([1], "test", boot))
        assert isinstance(link.receive(), wire.Welcome)
        return link

    yield hello
    for link in links:
        link.close()


@pytest.fixture
def backing_up(channel: Channel) -> Callable[..., Bringing]:
    return functools.partial(bringing.backing_up, channel)


@pytest.fixture
def restoring(channel: Channel, credential: Credential) -> Callable[..., Bringing]:
    """A guest that restores from a chain of two, whose parts are in the store, or in a region's, and from their log."""

    def begin(region: str = "") -> Bringing:
        guest, place = channel.expect(), f"database_backups/p1/{uuid.uuid4()}/"
        layer = {"attempt": ATTEMPT, **({"region": region} if region else {})}
        chain = [{"place": f"{place}{each}/", **layer} for each in LAYERS]
        logs = {"stream": 3, "place": f"{place}logs/"}
        command = channel.ask(guest, "restore", chain=chain, logs=logs)
        reader = Bringing(channel, guest, credential(guest), command, place)
        _fill(deployment.store(channel.settings, region), place, *(f"{each}/{ATTEMPT}/000000" for each in LAYERS))
        _fill(reader.store, place, "logs/a-1", "logs/a-2", "logs/b-1")
        return reader

    return begin


def _fill(store: Store, place: str, *keys: str) -> None:
    for key in keys:
        with store.create(place + key) as out:
            out.write(key.encode())
