"""Conductors as real processes, and doors to them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.agent.door import Door, Link
from argosy.model import wire
from argosy.testing.channel import Channel


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Short: Unix sockets are made in it."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def channel(home: Path) -> Iterator[Channel]:
    """With a conductor that answers. Tests share it, each with guests of its own; who stops it, starts it again."""
    channel = Channel(home)
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
