"""Room on a volume of enforced size: a part is kept back for the start of a server that has filled the rest."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from argosy.model.guest import Site

MIB = 1 << 20


class Room:
    def __init__(self, wanted: int) -> None:
        """`wanted` bytes are what a start may need of a full volume; 0: nothing is kept back."""
        self._wanted = wanted
        self._free = float("inf")

    def keep(self, site: Site) -> None:
        """While the server is well: half of what is free, as long as that is less than is wanted."""
        if not enforced(site):
            return
        spare = _file(site)
        kept = spare.stat().st_size if spare.exists() else 0
        more = min(self._wanted, (free(site) + kept) // 2)
        if more >= kept + MIB:
            with suppress(OSError):  # the server was faster to take it
                _reserve(spare, more)

    def found(self, site: Site) -> bool:
        """While the server cannot start: whether there is more room than before, made by somebody or given up here."""
        if not enforced(site):
            return False
        given = self._give(site)
        before, self._free = self._free, free(site)
        return given or self._free >= before + MIB

    def _give(self, site: Site) -> bool:
        scarce = free(site) < self._wanted and _file(site).exists()
        if scarce:
            _file(site).unlink()
        return scarce


def _file(site: Site) -> Path:
    return site.data / "spare"


def _reserve(file: Path, size: int) -> None:
    """Without writing it: neither time nor space of the pool below is spent."""
    with file.open("ab") as spare:
        os.posix_fallocate(spare.fileno(), 0, size)


def enforced(site: Site) -> bool:
    """Whether it is the volume that is measured here, not the whole disk that a plain directory is on."""
    room = os.statvfs(site.data)
    return room.f_blocks * room.f_frsize <= site.volume


def free(site: Site) -> int:
    room = os.statvfs(site.data)
    return room.f_bavail * room.f_frsize
