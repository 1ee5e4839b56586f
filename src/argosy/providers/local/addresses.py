"""Which guest has which address: one symbolic link per address, pointing at the port's name.

Making a link either succeeds or finds that the address is taken, whoever tries at the same time and whoever is killed.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.settings import BadSetting

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
PRIVATE = ipaddress.IPv4Network("10.0.0.0/8")
EDGES = frozenset({0, 255})
"""Last octets that people take for networks and broadcasts."""


def network(asked: str, inside: ipaddress.IPv4Network, deployment: str) -> ipaddress.IPv4Network:
    """The deployment's own: what was asked for, or a /16 derived from its name, never the first, which others use.
    Raises BadSetting.
    """
    if not asked:
        number = 1 + int(deployment, 16) % 255
        return ipaddress.IPv4Network((int(inside.network_address) + (number << 16), 16))
    try:
        found = ipaddress.IPv4Network(asked)
    except ValueError as error:
        raise BadSetting(f"provider.addresses {asked!r} is no network: write it as {inside}") from error
    if not found.subnet_of(inside) or found.num_addresses < 8:
        raise BadSetting(f"provider.addresses {asked} must lie in {inside} and hold 8 addresses or more")
    return found


def fits(address: str, within: ipaddress.IPv4Network) -> bool:
    """Could it be a guest's? Not the network's own, its broadcast, the gateway, nor what looks like one of them."""
    number = int(ipaddress.IPv4Address(address)) - int(within.network_address)
    return 1 < number < within.num_addresses - 1 and int(ipaddress.IPv4Address(address)) % 256 not in EDGES


@dataclass(frozen=True)
class Addresses:
    directory: Path
    network: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        """The first address, which no guest gets."""
        return str(self.network[1])

    def find(self, name: str) -> str:
        """The name's address; empty if it has none."""
        return next((address for address, owner in self._taken() if owner == name), "")

    def allocate(self, name: str, usable: Callable[[str], bool], requested: str = "") -> str:
        """The name's address, a new one if it has none yet. New ones that are not usable are passed over.

        Raises BadRequest for a requested one that cannot be had.
        """
        self.directory.mkdir(mode=0o755, exist_ok=True)
        return self.find(name) or (self._take_exactly(requested, name) if requested else self._take(name, usable))

    def release(self, name: str) -> None:
        for address, owner in self._taken():
            if owner == name:
                (self.directory / address).unlink(missing_ok=True)

    def names(self) -> list[str]:
        return sorted({owner for _, owner in self._taken()})

    def _take_exactly(self, address: str, name: str) -> str:
        if not fits(address, self.network):
            raise errors.BadRequest(f"address {address} is none for guests: choose one of {self.network}")
        if not self._claimed(address, name):
            raise errors.BadRequest(f"address {address} is taken: choose another one of {self.network}")
        return address

    def _take(self, name: str, usable: Callable[[str], bool]) -> str:
        taken = {address for address, _ in self._taken()}
        for address in self._candidates(name):
            if address not in taken and usable(address) and self._claimed(address, name):
                return address
        raise errors.CloudFailed(f"no address of {self.network} is free: delete instances or widen provider.addresses")

    def _candidates(self, name: str) -> Iterator[str]:
        """Every address for guests, beginning at one that the name decides: deployments that share a network by
        accident still seldom meet, and an address is not given to somebody else right after its owner has gone.
        """
        size = self.network.num_addresses
        first = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        for step in range(size):
            address = str(self.network[(first + step) % size])
            if fits(address, self.network):
                yield address

    def _claimed(self, address: str, name: str) -> bool:
        try:
            (self.directory / address).symlink_to(name)
        except FileExistsError:
            return False
        return True

    def _taken(self) -> list[tuple[str, str]]:
        """Addresses and who has them."""
        if not self.directory.exists():
            return []
        found = ((name, _owner(self.directory / name)) for name in os.listdir(self.directory))  # noqa: PTH208
        return [(address, owner) for address, owner in found if owner]


def _owner(address: Path) -> str:
    """Empty when it was released while we looked."""
    try:
        return os.readlink(address)  # noqa: PTH115 - a name, not a path
    except FileNotFoundError:
        return ""
