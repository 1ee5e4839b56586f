"""Where this host shows public databases: its addresses, what clients are told of them, and which ports."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from argosy import errors
from argosy.settings import BadSetting, Provider

FIRST_PORT, LAST_PORT = 1024, 65_535
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Documentation's addresses: nothing is sent there, the kernel only says where it would be sent from."""


@dataclass(frozen=True)
class Face:
    addresses: tuple[str, ...]
    """as the settings say; none: the host's primary ones, as they are at the moment"""
    names: tuple[str, ...]
    ports: range

    @property
    def listen(self) -> tuple[str, ...]:
        """Raises CloudFailed where there is nothing to listen on."""
        found = self.addresses or primary()
        if not found:
            raise errors.CloudFailed("this host has no address to publish at: name one in provider.publish_addresses")
        return found

    @property
    def hosts(self) -> tuple[str, ...]:
        """What clients are told."""
        return self.names or self.listen


def face(settings: Provider) -> Face:
    """Raises BadSetting."""
    addresses, names = _listed(settings.publish_addresses), _listed(settings.publish_names)
    for each in addresses:
        try:
            wide = ipaddress.ip_address(each).is_unspecified
        except ValueError as error:
            raise BadSetting(f"provider.publish_addresses: {each!r} is no address of this host") from error
        if wide and not names:
            raise BadSetting(
                f"provider.publish_addresses is {each}: say in provider.publish_names what clients connect to"
            )
    return Face(addresses, names, _ports(settings.publish_ports))


def primary() -> tuple[str, ...]:
    """Where this host's own connections to the world come from: IPv4, and IPv6 where there is some."""
    return tuple(address for family, far in ELSEWHERE if (address := _towards(family, far)))


def _towards(family: socket.AddressFamily, far: str) -> str:
    """Empty where no way leads there."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _ports(text: str) -> range:
    first, _, last = text.partition("-")
    if not (first.strip().isdecimal() and last.strip().isdecimal()):
        raise BadSetting(f"provider.publish_ports {text!r} is no range: write it as 20000-24095")
    if not FIRST_PORT <= int(first) <= int(last) <= LAST_PORT:
        raise BadSetting(f"provider.publish_ports {text!r} must lie between {FIRST_PORT} and {LAST_PORT}")
    return range(int(first), int(last) + 1)
