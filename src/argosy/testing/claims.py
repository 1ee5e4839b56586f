"""Ports for deployments and servers of tests that run side by side."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from argosy.launcher import ports
from argosy.launcher.ports import Ports


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
            if _held(mark, found) and not found.taken():
                return cls(found, mark)
            mark.close()

    def let_go(self) -> None:
        self._mark.close()


@contextmanager
def port() -> Iterator[int]:
    """A single one, for as long as the block lasts. Raises PortTaken."""
    claim = Claim.make()
    try:
        yield claim.ports.api
    finally:
        claim.let_go()


def _held(mark: socket.socket, wanted: Ports) -> bool:
    """By a name that goes with its process, however that ends (unix(7), abstract)."""
    try:
        mark.bind(f"\0argosy-tests-{wanted.api}")
    except OSError:
        return False
    return True
