"""Network mode `loopback`: an address of 127.0.0.0/8 per guest, on which its engine has its standard port."""

from __future__ import annotations

import errno
import itertools
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Port, PortSpec, State
from argosy.providers.local.addresses import Addresses
from argosy.providers.local.faults import translated

TRIES = 8
"""Addresses on which the engine's port may be in use before we believe that somebody listens on all of them."""


@dataclass(frozen=True)
class LoopbackNetworks:
    addresses: Addresses

    def prepare(self) -> None:
        """Nothing is shared: every address of 127.0.0.0/8 is there already."""

    def ensure(self, spec: PortSpec) -> Port:
        probes = itertools.count(1)

        def usable(address: str) -> bool:
            if free(address, spec.service_port):
                return True
            if next(probes) >= TRIES:
                raise _in_use(address, spec.service_port)
            return False

        with translated(f"port {spec.name} cannot be made"):
            found = self.addresses.allocate(spec.name, usable, requested(spec))
        return Port(spec.name, State.ACTIVE, found, identifier(self.addresses))

    def delete(self, name: str) -> None:
        with translated(f"port {name} cannot be deleted"):
            self.addresses.release(name)

    def owned(self) -> Sequence[str]:
        with translated("ports cannot be listed"):
            return self.addresses.names()

    def address(self, name: str) -> str:
        return address(self.addresses, name)

    def namespace(self, name: str) -> Path | None:  # noqa: ARG002 - the host's own, whoever asks
        return None


def requested(spec: PortSpec) -> str:
    """The address that was asked for, by Trove's name for it or Heat's; empty when any will do."""
    return spec.requested.get("ip_address") or spec.requested.get("v4-fixed-ip") or ""


def address(addresses: Addresses, name: str) -> str:
    found = addresses.find(name)
    if not found:
        raise errors.CloudFailed(f"there is no port {name}")
    return found


def identifier(addresses: Addresses) -> str:
    """The network's uuid: the same as long as the deployment stays where it is."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{addresses.directory}/{addresses.network}"))


def free(address: str, port: int) -> bool:
    """Could a server listen here? Port 0: any will do."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        if probe.family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def _in_use(address: str, port: int) -> errors.CloudFailed:
    return errors.CloudFailed(
        f"port {port} is in use on {address} and on {TRIES - 1} addresses tried before:"
        f" stop what listens on 0.0.0.0:{port}, or choose another network in provider.addresses"
    )
