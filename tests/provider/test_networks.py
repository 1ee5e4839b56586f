"""Addresses and network namespaces of the local provider."""

import ipaddress
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy import errors, settings
from argosy.providers.base import PortSpec
from argosy.providers.local import ground, iproute, parts
from argosy.providers.local.addresses import LOOPBACK, PRIVATE, Addresses, network
from argosy.providers.local.networks import LoopbackNetworks, free
from argosy.settings import BadSetting


def spec(service_port: int = 0) -> PortSpec:
    return PortSpec(str(uuid.uuid4()), "p", service_port)


@pytest.fixture
def loopback(tmp_path: Path) -> LoopbackNetworks:
    return LoopbackNetworks(Addresses(tmp_path / "addresses", network("127.77.0.0/24", LOOPBACK, "")))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        yield listening


@pytest.mark.parametrize("inside", [LOOPBACK, PRIVATE])
@pytest.mark.parametrize("deployment", ["00000000", "ffffffff", "000000ff", "0123abcd"])
def test_a_deployments_network_is_a_part_that_others_seldom_use(inside: ipaddress.IPv4Network, deployment: str) -> None:
    found = network("", inside, deployment)
    assert found.prefixlen == 16
    assert found.subnet_of(inside)
    assert found != next(inside.subnets(new_prefix=16))


@pytest.mark.parametrize("asked", ["127.5.0.0", "127.5.0.1/16", "10.0.0.0/16", "127.5.0.0/30", "nonsense", "::/64"])
def test_networks_that_cannot_be_used_are_refused(asked: str) -> None:
    with pytest.raises(BadSetting, match=r"provider\.addresses"):
        network(asked, LOOPBACK, "0")


def test_an_address_is_never_an_edge(tmp_path: Path) -> None:
    addresses = Addresses(tmp_path, network("127.77.0.0/23", LOOPBACK, ""))
    given = {addresses.allocate(str(number), lambda _: True) for number in range(507)}
    assert not given & {f"127.77.{third}.{last}" for third in (0, 1) for last in (0, 255)}
    assert addresses.gateway not in given
    with pytest.raises(errors.CloudFailed, match=r"no address of .* is free: delete instances or widen"):
        addresses.allocate("one more", lambda _: True)


def test_an_address_whose_port_is_in_use_is_passed_over(loopback: LoopbackNetworks, listener: socket.socket) -> None:
    wanted = spec()
    first = loopback.ensure(wanted).address
    loopback.delete(wanted.name)
    listener.bind((first, 0))
    listener.listen()
    again = loopback.ensure(PortSpec(wanted.name, "p", listener.getsockname()[1])).address
    assert again != first


def test_a_running_engine_keeps_its_address(loopback: LoopbackNetworks, listener: socket.socket) -> None:
    wanted = spec()
    address = loopback.ensure(wanted).address
    listener.bind((address, 0))
    listener.listen()
    assert loopback.ensure(PortSpec(wanted.name, "p", listener.getsockname()[1])).address == address


def test_a_port_in_use_everywhere_is_told_with_address_and_port(
    loopback: LoopbackNetworks, listener: socket.socket
) -> None:
    listener.bind(("0.0.0.0", 0))  # noqa: S104 - just what the test is about
    listener.listen()
    port = listener.getsockname()[1]
    assert not free("127.77.0.9", port)
    with pytest.raises(errors.CloudFailed, match=rf"port {port} is in use on 127\.77\.0\.\d+ and .* stop what listens"):
        loopback.ensure(spec(port))
    assert loopback.owned() == []


@pytest.fixture
def separate(configured: Callable[..., settings.Settings]) -> parts.Parts:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = parts.as_root(configured(network="namespace"))
    made.ground.networks.prepare()
    return made


CONNECT = "import socket, sys; s = socket.socket(); s.settimeout(0.5); print(s.connect_ex((sys.argv[1], 9)))"
REFUSED, UNREACHABLE = "111", "101"


def answer(namespace: Path | None, address: str) -> str:
    """What connecting to a port where nobody listens says: refused by whoever is reached."""
    argv = ["nsenter", f"--net={namespace}", sys.executable, "-c", CONNECT, address]
    return subprocess.check_output(argv, text=True).strip()


def test_who_reaches_whom(separate: parts.Parts) -> None:
    one, other = (separate.networks.ensure(spec()) for _ in range(2))
    inside = separate.networks.namespace(one.name)
    gateway = separate.ground.networks.inside.gateway
    assert answer(inside, gateway) == REFUSED
    assert answer(inside, one.address) == REFUSED
    assert answer(inside, other.address) not in {REFUSED, "0"}
    assert answer(inside, "192.0.2.1") == UNREACHABLE
    with socket.socket() as host:
        host.settimeout(5)
        assert str(host.connect_ex((one.address, 9))) == REFUSED


def test_the_doorstep_is_where_guests_reach_the_host(
    separate: parts.Parts, configured: Callable[..., settings.Settings]
) -> None:
    assert ground.doorstep(configured(network="namespace")) == separate.ground.networks.inside.gateway
    assert ground.doorstep(configured()) == "127.0.0.1"


def test_ports_come_back_after_a_reboot(separate: parts.Parts) -> None:
    wanted = spec()
    port, layout = separate.networks.ensure(wanted), separate.ground.layout
    subprocess.run(["ip", "netns", "delete", layout.namespace(wanted.name)], check=True)
    subprocess.run(["ip", "link", "delete", layout.bridge], check=True)
    inside = separate.networks.namespace(wanted.name)
    assert separate.networks.address(wanted.name) == port.address
    assert answer(inside, separate.ground.networks.inside.gateway) == REFUSED


def test_a_network_that_the_host_uses_is_not_taken(configured: Callable[..., settings.Settings]) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    name = f"agt{uuid.uuid4().hex[:8]}"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    try:
        subprocess.run(["ip", "address", "add", "10.201.3.1/24", "dev", name], check=True)
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        made = parts.as_root(configured(network="namespace", addresses="10.201.0.0/16"))
        with pytest.raises(errors.CloudFailed, match=f"overlaps with 10.201.3.0/24, which this host reaches by {name}"):
            made.ground.networks.prepare()
        assert not (iproute.LINKS / made.ground.layout.bridge).exists()
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)
