"""Network mode `namespace`, level root: a network namespace per guest, cabled to a private bridge of the deployment.

The host reaches every guest. A guest has no route but to the bridge's own network, in which its port is isolated: it
reaches the bridge's address (where the conductor listens) and no other guest. IPv6 is off on all of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Port, PortSpec, State
from argosy.providers.local import networks
from argosy.providers.local.addresses import Addresses
from argosy.providers.local.faults import translated
from argosy.providers.local.iproute import LINKS, NAMESPACES, Ip, is_isolated, is_namespace, is_up, routes
from argosy.providers.local.layout import Layout
from argosy.providers.local.locks import alone


@dataclass(frozen=True)
class NamespaceNetworks:
    layout: Layout
    addresses: Addresses

    @property
    def gateway(self) -> str:
        """The one address that guests reach: the conductor must listen there."""
        return self.addresses.gateway

    def prepare(self) -> None:
        """The bridge, with its address."""
        with self._changing(f"bridge {self.layout.bridge} cannot be made") as ip:
            self._bridge(ip)

    def ensure(self, spec: PortSpec) -> Port:
        with translated(f"port {spec.name} cannot be made"):
            address = self.addresses.allocate(spec.name, lambda _: True, networks.requested(spec))
            self._connect(spec.name, address)
        return Port(spec.name, State.ACTIVE, address, networks.identifier(self.addresses))

    def delete(self, name: str) -> None:
        """The address goes last: as long as anything is there, the name is owned."""
        with self._changing(f"port {name} cannot be deleted") as ip:
            address = self.addresses.find(name)
            if address:
                ip.remove_link(self._cable(address))
            ip.remove_namespace(self.layout.namespace(name))
            self.addresses.release(name)

    def owned(self) -> Sequence[str]:
        with translated("ports cannot be listed"):
            prefix = self.layout.namespace("")
            spaces = NAMESPACES.iterdir() if NAMESPACES.exists() else ()
            found = {path.name.removeprefix(prefix) for path in spaces if path.name.startswith(prefix)}
            return sorted(found.union(self.addresses.names()))

    def address(self, name: str) -> str:
        return networks.address(self.addresses, name)

    def namespace(self, name: str) -> Path | None:
        with translated(f"port {name} cannot be made again"):
            self._connect(name, self.address(name))
            return NAMESPACES / self.layout.namespace(name)

    @contextmanager
    def _changing(self, doing: str) -> Iterator[Ip]:
        """One at a time in the deployment; the kernel does such changes one by one in any case."""
        with translated(doing), alone(self.layout.state) as lock:
            yield Ip(lock)

    def _connect(self, name: str, address: str) -> None:
        if self._connected(name, address):
            return
        with self._changing(f"port {name} cannot be connected") as ip:
            self._bridge(ip)
            self._namespace(ip, name, address)
            if not self._connected(name, address):
                self._plug(ip, name, address)

    def _connected(self, name: str, address: str) -> bool:
        """Up is the last that a cable gets: one that is up is finished."""
        cable = self._cable(address)
        return is_namespace(self.layout.namespace(name)) and is_up(cable) and is_isolated(cable)

    def _bridge(self, ip: Ip) -> None:
        if not is_up(self.layout.bridge):
            ip.remove_link(self.layout.bridge)  # half made
            _check_unrouted(self.addresses.network)
            ip.batch(_bridge_of_its_own(self.layout.bridge, self._inside(self.gateway)))

    def _namespace(self, ip: Ip, name: str, address: str) -> None:
        if not is_namespace(self.layout.namespace(name)):
            ip.remove_namespace(self.layout.namespace(name))
            ip.remove_link(self._cable(address))  # its other end is where nobody can enter any more
            ip.add_namespace(self.layout.namespace(name))

    def _plug(self, ip: Ip, name: str, address: str) -> None:
        space, cable = self.layout.namespace(name), self._cable(address)
        ip.remove_link(cable)  # half made
        ip.batch([f"link add {cable} type veth peer name eth0 netns {space}"])
        ip.batch(_guest_end(self._inside(address)), space)
        ip.batch(_host_end(cable, self.layout.bridge))

    def _inside(self, address: str) -> str:
        return f"{address}/{self.addresses.network.prefixlen}"

    def _cable(self, address: str) -> str:
        number = int(ipaddress.IPv4Address(address)) - int(self.addresses.network.network_address)
        return self.layout.link(number)


def sweep(layout: Layout) -> None:
    """Remove every namespace, cable and bridge of the deployment, whatever network they once belonged to."""
    with alone(layout.state) as lock:
        for path in NAMESPACES.glob(layout.namespace("*")):
            Ip(lock).remove_namespace(path.name)
        for path in LINKS.glob(f"{layout.links}*"):
            Ip(lock).remove_link(path.name)


def _bridge_of_its_own(name: str, address: str) -> list[str]:
    return [
        f"link add {name} type bridge",
        f"link set {name} addrgenmode none",
        f"address add {address} dev {name}",
        f"link set {name} up",
    ]


def _guest_end(address: str) -> list[str]:
    return ["link set lo up", "link set eth0 addrgenmode none", f"address add {address} dev eth0", "link set eth0 up"]


def _host_end(cable: str, bridge: str) -> list[str]:
    return [
        f"link set {cable} addrgenmode none",
        f"link set {cable} master {bridge}",
        f"link set {cable} type bridge_slave isolated on",
        f"link set {cable} up",
    ]


def _check_unrouted(network: ipaddress.IPv4Network) -> None:
    """Raises CloudFailed where the host reaches something else in that network: our bridge would cut it off."""
    for routed, link in routes():
        if routed.overlaps(network):
            raise errors.CloudFailed(
                f"{network} overlaps with {routed}, which this host reaches by {link}:"
                " choose another network in provider.addresses"
            )
