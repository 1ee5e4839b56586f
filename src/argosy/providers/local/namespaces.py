"""Network mode `namespace`, level root: a network namespace per guest, cabled to a private bridge of the deployment.

The host reaches every guest. A guest has no route but to the bridge's own network, in which its port is isolated: it
reaches the bridge's address (where the conductor listens) and no other guest. IPv6 is off on all of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Port, PortSpec, State
from argosy.providers.local import networks
from argosy.providers.local.addresses import Addresses
from argosy.providers.local.faults import run, translated
from argosy.providers.local.layout import Layout
from argosy.providers.local.locks import alone

NAMESPACES = Path("/run/netns")
"""Where `ip netns` keeps them (ip-netns(8))."""
LINKS = Path("/sys/class/net")
UP = 0x1
ROUTES = Path("/proc/net/route")


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
        with translated(f"bridge {self.layout.bridge} cannot be made"), alone(self.layout.state):
            if not _up(self.layout.bridge):
                _remove_link(self.layout.bridge)  # half made
                _check_unrouted(self.addresses.network)
                _link(_bridge(self.layout.bridge, f"{self.gateway}/{self.addresses.network.prefixlen}"))

    def ensure(self, spec: PortSpec) -> Port:
        with translated(f"port {spec.name} cannot be made"):
            address = self.addresses.allocate(spec.name, lambda _: True)
            self._connect(spec.name, address)
        return Port(spec.name, State.ACTIVE, address, networks.identifier(self.addresses))

    def delete(self, name: str) -> None:
        """The address goes last: as long as anything is there, the name is owned."""
        with translated(f"port {name} cannot be deleted"):
            address = self.addresses.find(name)
            if address:
                _remove_link(self._cable(address))
            _remove_namespace(self.layout.namespace(name))
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

    def _connect(self, name: str, address: str) -> None:
        self.prepare()
        space, cable = self.layout.namespace(name), self._cable(address)
        if not _is_namespace(space):
            _remove_namespace(space)
            _remove_link(cable)  # its other end is in a namespace that nobody can enter any more
            run(["ip", "netns", "add", space])
        if not _isolated(cable):
            _remove_link(cable)
            _link([f"link add {cable} type veth peer name eth0 netns {space}"])
            _link(_inside(f"{address}/{self.addresses.network.prefixlen}"), space)
            _link(_outside(cable, self.layout.bridge))

    def _cable(self, address: str) -> str:
        number = int(ipaddress.IPv4Address(address)) - int(self.addresses.network.network_address)
        return self.layout.link(number)


def sweep(layout: Layout) -> None:
    """Remove every namespace, cable and bridge of the deployment, whatever network they once belonged to."""
    for path in NAMESPACES.glob(layout.namespace("*")):
        _remove_namespace(path.name)
    for path in LINKS.glob(f"{layout.links}*"):
        _remove_link(path.name)


def _bridge(name: str, address: str) -> list[str]:
    return [
        f"link add {name} type bridge",
        f"link set {name} addrgenmode none",
        f"address add {address} dev {name}",
        f"link set {name} up",
    ]


def _inside(address: str) -> list[str]:
    return ["link set lo up", "link set eth0 addrgenmode none", f"address add {address} dev eth0", "link set eth0 up"]


def _outside(cable: str, bridge: str) -> list[str]:
    """Isolation comes before the port is up, and up is last: a port that is up is finished."""
    return [
        f"link set {cable} addrgenmode none",
        f"link set {cable} master {bridge}",
        f"link set {cable} type bridge_slave isolated on",
        f"link set {cable} up",
    ]


def _link(commands: Sequence[str], namespace: str = "") -> None:
    inside = ["-netns", namespace] if namespace else []
    run(["ip", *inside, "-batch", "-"], told="\n".join(commands) + "\n")


def _check_unrouted(network: ipaddress.IPv4Network) -> None:
    """Raises CloudFailed where the host reaches something else in that network: our bridge would cut it off."""
    for line in ROUTES.read_text().splitlines()[1:]:
        link, destination, _, _, _, _, _, mask, *_ = line.split()
        routed = ipaddress.IPv4Network((_address(destination), _address(mask)))
        if routed.prefixlen and routed.overlaps(network):
            raise errors.CloudFailed(
                f"{network} overlaps with {routed}, which this host reaches by {link}:"
                " choose another network in provider.addresses"
            )


def _address(word: str) -> str:
    """From the kernel's notation: hexadecimal, last octet first."""
    return str(ipaddress.IPv4Address(bytes.fromhex(word)[::-1]))


def _up(link: str) -> bool:
    try:
        return bool(int((LINKS / link / "flags").read_text(), 16) & UP)
    except FileNotFoundError:
        return False


def _isolated(cable: str) -> bool:
    port = LINKS / cable / "brport" / "isolated"
    return _up(cable) and port.exists() and port.read_text().strip() == "1"


def _is_namespace(name: str) -> bool:
    """A name is there a moment before the namespace is mounted on it: only with that it is one."""
    path = NAMESPACES / name
    return path.exists() and path.stat().st_dev != NAMESPACES.stat().st_dev


def _remove_link(link: str) -> None:
    _gone(LINKS / link, lambda: run(["ip", "link", "delete", link]))


def _remove_namespace(name: str) -> None:
    path = NAMESPACES / name
    if _is_namespace(name):
        _gone(path, lambda: run(["ip", "netns", "delete", name]))
    path.unlink(missing_ok=True)


def _gone(path: Path, remove: Callable[[], object]) -> None:
    """A process that was killed while it removed the same may be faster: what counts is that it is gone."""
    try:
        if path.exists():
            remove()
    except errors.CloudFailed:
        if path.exists():
            raise
