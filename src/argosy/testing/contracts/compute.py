"""What the servers of every provider promise."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from argosy import errors
from argosy.model.guest import Secret, TlsMode
from argosy.providers.base import Fence, PortSpec, Provider, ServerSpec, Source, State
from argosy.testing import killing
from argosy.testing.waiting import eventually

AT_ONCE = 20
ENGINE = "redis"
PORT = 6379


class ComputeContract:
    @pytest.fixture
    def asked(self, provider: Provider) -> Iterator[Callable[..., ServerSpec]]:
        """Makes specifications of servers, with volume and port; all that they name is gone after the test."""
        names: list[str] = []

        def ask(generation: int = 1, name: str = "") -> ServerSpec:
            names.append(name or str(uuid.uuid4()))
            return prepared(provider, names[-1], generation)

        yield ask
        for name in names:
            provider.compute.delete(name)
            provider.networks.delete(name)
            provider.volumes.delete(name)

    def test_a_server_becomes_active(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = asked()
        assert provider.compute.ensure(spec).state in {State.BUILDING, State.ACTIVE}
        becomes(provider, spec.name, State.ACTIVE)

    def test_ensure_twice_makes_one_server(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        before, spec = {*provider.compute.owned()}, asked()
        provider.compute.ensure(spec)
        provider.compute.ensure(spec)
        becomes(provider, spec.name, State.ACTIVE)
        assert provider.compute.ensure(spec).state is State.ACTIVE
        assert {*provider.compute.owned()} - before == {spec.name}

    def test_what_never_was_is_absent_and_its_deletion_succeeds(self, provider: Provider) -> None:
        name = str(uuid.uuid4())
        assert provider.compute.look(name).state is State.ABSENT
        provider.compute.delete(name)
        assert provider.compute.stop(name).state is State.ABSENT
        assert provider.compute.fence(name) is Fence.FENCED
        assert provider.compute.look(name).state is State.ABSENT

    def test_a_deleted_server_is_absent_at_once(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = up(provider, asked())
        provider.compute.delete(spec.name)
        assert provider.compute.look(spec.name).state is State.ABSENT
        assert spec.name not in provider.compute.owned()

    def test_a_stopped_server_stays_so_until_it_is_ensured(
        self, provider: Provider, asked: Callable[..., ServerSpec]
    ) -> None:
        spec = up(provider, asked())
        provider.compute.stop(spec.name)
        becomes(provider, spec.name, State.STOPPED)
        assert spec.name in provider.compute.owned()
        up(provider, spec)

    def test_ensured_while_it_stops_it_is_started_again(
        self, provider: Provider, asked: Callable[..., ServerSpec]
    ) -> None:
        spec = up(provider, asked())
        provider.compute.stop(spec.name)
        up(provider, spec)
        assert provider.compute.look(spec.name).state is State.ACTIVE

    def test_a_fenced_server_stays_so_until_it_is_ensured(
        self, provider: Provider, asked: Callable[..., ServerSpec]
    ) -> None:
        spec = up(provider, asked())
        assert provider.compute.fence(spec.name) is Fence.FENCED
        assert provider.compute.look(spec.name).state is State.STOPPED
        up(provider, spec)

    def test_a_later_generation_replaces_the_earlier(
        self, provider: Provider, asked: Callable[..., ServerSpec]
    ) -> None:
        spec = up(provider, asked())
        up(provider, dataclasses.replace(spec, generation=2))
        with pytest.raises(errors.CloudFailed):
            provider.compute.ensure(spec)
        assert provider.compute.look(spec.name).state is State.ACTIVE

    def test_new_limits_do_not_end_a_server(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = up(provider, asked())
        provider.compute.announce(spec.name, 512, 2)
        assert provider.compute.look(spec.name).state is State.ACTIVE
        assert provider.compute.resize(spec.name, 512, 2).state is State.ACTIVE
        assert provider.compute.resize(spec.name, spec.ram, spec.vcpus).state is State.ACTIVE

    def test_a_missing_engine_is_a_fault_with_a_cure(
        self, provider: Provider, asked: Callable[..., ServerSpec]
    ) -> None:
        spec = dataclasses.replace(asked(), version="0.0.1")
        server = provider.compute.ensure(spec)
        assert server.state is State.FAILED
        assert "0.0.1" in server.fault
        assert "install" in server.fault
        assert provider.compute.look(spec.name) == server

    def test_a_cured_server_starts(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = asked()
        provider.compute.ensure(dataclasses.replace(spec, version="0.0.1"))
        up(provider, spec)

    def test_a_missing_volume_is_a_fault(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        server = provider.compute.ensure(dataclasses.replace(asked(), volume=str(uuid.uuid4())))
        assert server.state is State.FAILED
        assert "volume" in server.fault

    def test_many_at_once(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        specs = [asked() for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            servers = [*pool.map(provider.compute.ensure, specs)]
        assert {server.state for server in servers} <= {State.BUILDING, State.ACTIVE}
        for spec in specs:
            becomes(provider, spec.name, State.ACTIVE)

    def test_many_who_want_the_same_server_get_one(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = asked()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            servers = [*pool.map(provider.compute.ensure, [spec] * AT_ONCE)]
        assert {server.state for server in servers} <= {State.BUILDING, State.ACTIVE}
        becomes(provider, spec.name, State.ACTIVE)

    def test_killed_in_ensure_it_can_be_repeated(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = asked()
        for moment in killing.moments(lambda: provider.compute.ensure(spec)):
            provider.compute.delete(spec.name)
            killing.killed(lambda: provider.compute.ensure(spec), moment)
            up(provider, spec)

    def test_killed_in_delete_it_can_be_repeated(self, provider: Provider, asked: Callable[..., ServerSpec]) -> None:
        spec = up(provider, asked())
        for moment in killing.moments(lambda: provider.compute.delete(spec.name)):
            up(provider, spec)
            killing.killed(lambda: provider.compute.delete(spec.name), moment)
            provider.compute.delete(spec.name)
            assert provider.compute.look(spec.name).state is State.ABSENT


def prepared(provider: Provider, name: str, generation: int) -> ServerSpec:
    provider.volumes.ensure(name, 1, Source())
    provider.networks.ensure(PortSpec(name, "contract", PORT))
    found = provider.catalog()[ENGINE]
    if not found:
        pytest.skip(f"there is no {ENGINE} on this machine")
    return ServerSpec(
        name=name,
        generation=generation,
        engine=ENGINE,
        version=found[-1].version,
        ram=256,
        vcpus=1,
        volume=name,
        port=name,
        tls=TlsMode.ENFORCED,
        boot=Secret('{"conductors": []}'),
    )


def up(provider: Provider, spec: ServerSpec) -> ServerSpec:
    """Ensured until it is there, as a step does it."""

    def check() -> bool:
        server = provider.compute.ensure(spec)
        assert server.state is State.ACTIVE, server
        return True

    eventually(check)
    return spec


def becomes(provider: Provider, name: str, state: State) -> None:
    def check() -> bool:
        server = provider.compute.look(name)
        assert server.state is state, server
        return True

    eventually(check)
