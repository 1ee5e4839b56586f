"""What the networks of every provider promise."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from argosy.providers.base import Outside, Port, PortSpec, Provider, State
from argosy.testing import killing
from argosy.testing.waiting import eventually

AT_ONCE = 20


def spec(name: str = "", service_port: int = 0) -> PortSpec:
    return PortSpec(name or str(uuid.uuid4()), "contract", service_port)


def public(port: str) -> PortSpec:
    return dataclasses.replace(spec(port, 9), public=True)


def outside(provider: Provider, port: str, *, opened: bool = True) -> Outside | None:
    """Where the port is reached from outside, once that is as it is to be."""
    wanted = public(port) if opened else spec(port, 9)

    def look() -> bool:
        return provider.networks.ensure(wanted).state is State.ACTIVE and _seen(provider, port) is State.ACTIVE

    eventually(look, within=20)
    return provider.networks.look(port).outside


def _seen(provider: Provider, port: str) -> State:
    return provider.networks.look(port).state


class NetworksContract:
    @pytest.fixture
    def joined(self, provider: Provider) -> Iterator[Callable[..., Port]]:
        """Makes ports that are gone after the test, and with them whatever a failed test left."""
        before = {*provider.networks.owned()}

        def join(name: str = "", service_port: int = 0) -> Port:
            port = provider.networks.ensure(spec(name, service_port))
            assert port.state is State.ACTIVE
            return port

        yield join
        for name in {*provider.networks.owned()} - before:
            provider.networks.delete(name)

    def test_joining_twice_makes_one_port(self, provider: Provider, joined: Callable[..., Port]) -> None:
        before = {*provider.networks.owned()}
        port = joined()
        assert joined(port.name) == port
        assert {*provider.networks.owned()} - before == {port.name}

    def test_a_port_has_an_address_and_a_network(self, joined: Callable[..., Port]) -> None:
        port = joined()
        assert port.address
        assert uuid.UUID(port.network)

    def test_leaving_without_a_port_succeeds(self, provider: Provider) -> None:
        provider.networks.delete(str(uuid.uuid4()))

    def test_owned_lists_exactly_the_ports_there_are(self, provider: Provider, joined: Callable[..., Port]) -> None:
        before = {*provider.networks.owned()}
        kept, gone = joined(), joined()
        provider.networks.delete(gone.name)
        assert {*provider.networks.owned()} - before == {kept.name}

    def test_a_public_port_keeps_its_place_outside_for_its_life(
        self, provider: Provider, joined: Callable[..., Port]
    ) -> None:
        one, other = joined().name, joined().name
        first = outside(provider, one)
        assert first is not None
        assert first.hosts
        assert outside(provider, other) not in {first, None}
        assert outside(provider, one, opened=False) is None
        assert outside(provider, one) == first

    def test_looking_for_a_port_that_is_not_there(self, provider: Provider) -> None:
        assert provider.networks.look(str(uuid.uuid4())).state is State.ABSENT

    def test_many_at_once_have_addresses_of_their_own(self, joined: Callable[..., Port]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ports = [*pool.map(lambda _: joined(), range(AT_ONCE))]
        assert len({port.address for port in ports}) == AT_ONCE

    def test_killed_while_joining(self, provider: Provider, joined: Callable[..., Port]) -> None:
        wanted = spec()
        for moment in killing.moments(lambda: provider.networks.ensure(spec())):
            killing.killed(lambda: provider.networks.ensure(wanted), moment)
            assert joined(wanted.name).address
            provider.networks.delete(wanted.name)
        assert wanted.name not in provider.networks.owned()

    def test_killed_while_becoming_public(self, provider: Provider, joined: Callable[..., Port]) -> None:
        for moment in killing.moments(lambda: provider.networks.ensure(public(joined().name))):
            name = joined().name
            killing.killed(lambda: provider.networks.ensure(public(name)), moment)  # noqa: B023
            assert outside(provider, name) is not None
            killing.killed(lambda: provider.networks.delete(name), moment)  # noqa: B023
            provider.networks.delete(name)
            assert name not in provider.networks.owned()

    def test_killed_while_leaving(self, provider: Provider, joined: Callable[..., Port]) -> None:
        first = joined().name
        for moment in killing.moments(lambda: provider.networks.delete(first)):
            name = joined().name
            killing.killed(lambda: provider.networks.delete(name), moment)  # noqa: B023
            provider.networks.delete(name)
            assert name not in provider.networks.owned()
