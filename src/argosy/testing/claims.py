"""Ports for deployments and servers of tests that run side by side."""

from __future__ import annotations

import atexit
import itertools
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Self

from argosy.launcher import ports
from argosy.launcher.ports import Ports, PortTaken

BLOCK = 100
FIRST_PORTS = range(15_000, 20_000, BLOCK)
"""Of the blocks that processes take: below what public databases are given, and far below what Linux gives to clients,
which may take any port of theirs between its choice and its use (ip_local_port_range).
"""


@dataclass(frozen=True)
class Claim:
    """Ports that no other test of this machine gets until it is let go: they are chosen seconds before anybody listens
    on them, and who looks meanwhile finds them free.
    """

    ports: Ports
    _mark: socket.socket

    @classmethod
    def make(cls) -> Self:
        """Raises PortTaken."""
        while True:
            found, mark = ports.free_ones(), socket.socket(socket.AF_UNIX)
            if _held(mark, found.api) and not found.taken():
                return cls(found, mark)
            mark.close()

    def let_go(self) -> None:
        self._mark.close()


def port() -> int:
    """One of loopback on which nothing listens: other processes never get it from here, this one gets 99 others before
    it gets it again. Raises PortTaken.
    """
    for number in itertools.islice(_block(), BLOCK):
        if ports.free(number):
            return number
    raise PortTaken(f"each of the {BLOCK} ports of this process is in use")


@cache
def _block() -> Iterator[int]:
    """This process's own, round and round; held until the process ends."""
    for first in random.sample(FIRST_PORTS, len(FIRST_PORTS)):
        mark = socket.socket(socket.AF_UNIX)
        if _held(mark, first):
            atexit.register(mark.close)
            return itertools.cycle(range(first, first + BLOCK))
        mark.close()
    raise PortTaken(f"other tests hold every port from {FIRST_PORTS.start} to {FIRST_PORTS.stop}")


def _held(mark: socket.socket, first: int) -> bool:
    """By a name that goes with its process, however that ends (unix(7), abstract)."""
    try:
        mark.bind(f"\0argosy-tests-{first}")
    except OSError:
        return False
    return True
