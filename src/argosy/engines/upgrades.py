"""From one version of an engine to another: which ways there are, and what a driver does on them."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

from argosy.engines import roots
from argosy.model.guest import ServiceSpec


class Jump(StrEnum):
    NONE = "none"
    """to the same version or an older one, or further than the engine goes"""
    MINOR = "minor"
    """within a series: the new server takes the data as they are"""
    MAJOR = "major"
    """to a later series: the data are made anew, and the old server cannot read them any more"""


def jump(before: str, after: str, *, series: int, crossing: bool) -> Jump:
    """`series`: how many numbers of a version name one; `crossing`: can data be taken to a later one?"""
    old, new = roots.order(before), roots.order(after)
    if new <= old:
        return Jump.NONE
    if new[:series] == old[:series]:
        return Jump.MINOR
    return Jump.MAJOR if crossing else Jump.NONE


@runtime_checkable
class Upgrades(Protocol):
    """The facet of a driver that brings data of an older version up to its own.

    Called in this order on a volume whose server has been stopped. An agent that was killed begins at the beginning.
    """

    def convert(self) -> None:
        """Make the data this version's, with the programs of the version before (`site.before`) where that takes
        them. Done already, or not needed: nothing happens. The data before are not lost by whatever fails here.

        Raises Rejected, in the engine's own words, for data that cannot be converted.
        """

    def secluded(self) -> ServiceSpec:
        """The server with everything that it is told, but reached by nobody except the agent: while it has only been
        started like this, nobody has written anything that going back would lose.
        """

    def examine(self) -> None:
        """Look whether all that was there before is there, in the running server, and finish what only it can do.

        Raises GuestFailed, saying what is missing.
        """

    def measure(self) -> None:
        """Have the running server learn again what its plans are made from; and clear away what the conversion has
        left. It serves its clients meanwhile. Raises Unavailable: it may be tried again.
        """
