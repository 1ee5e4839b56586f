"""Which ports a deployment listens on: the well-known ones, or free ones beside another deployment."""

from __future__ import annotations

import errno
import secrets
import socket
from dataclasses import astuple, dataclass
from typing import Self

from argosy import errors
from argosy.settings import Api, Conductor, Console, Identity

HOST = "127.0.0.1"
LOWEST, HIGHEST = 24100, 32000
"""Below the range that Linux takes client ports from (32768, ip_local_port_range), and above most services and what
public databases are given (provider.publish_ports).
"""


class PortTaken(errors.Rejected):
    """a port is in use"""


@dataclass(frozen=True)
class Ports:
    api: int
    identity: int
    conductor: int
    console: int

    @classmethod
    def following(cls, base: int) -> Self:
        return cls(base, base + 1, base + 2, base + 3)

    def taken(self) -> list[int]:
        return [port for port in astuple(self) if not free(port)]


WELL_KNOWN = Ports(Api.port, Identity.port, Conductor.port, Console.port)


def choose(base: int | None = None) -> Ports:
    """From `base` on where given; else the well-known ports, or four free ones if another has taken those.

    Raises PortTaken.
    """
    if base is not None:
        wanted = Ports.following(base)
        if wanted.taken():
            raise PortTaken(f"port {wanted.taken()[0]} is in use: choose another --port-base")
        return wanted
    if not WELL_KNOWN.taken():
        return WELL_KNOWN
    return free_ones()


def free_ones() -> Ports:
    """Four that nothing listens on just now. Raises PortTaken."""
    for _ in range(100):
        base = LOWEST + 10 * secrets.randbelow((HIGHEST - LOWEST) // 10)
        found = Ports.following(base)
        if not found.taken():
            return found
    raise PortTaken(f"no four free ports found between {LOWEST} and {HIGHEST}: choose them by --port-base")


def free(port: int, host: str = HOST) -> bool:
    """Whether nothing listens there; nothing does at an address that this machine does not have yet."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return True
