"""What the compute part asks of volumes and networks on its own machine, beyond what every provider offers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from argosy.providers.base import Networks, Volumes


class LocalVolumes(Volumes, Protocol):
    def attach(self, name: str) -> Path:
        """Where the volume's files are, mounted if it was not (after a reboot). Raises CloudFailed if there is none."""

    def own(self, name: str, uid: int, gid: int) -> None:
        """Give the volume and everything in it to a guest's user. Quick when it is so already."""


class Whereabouts(Protocol):
    def address(self, name: str) -> str:
        """The port's address. Raises CloudFailed if there is no such port."""

    def namespace(self, name: str) -> Path | None:
        """The network namespace to enter, made anew if it is gone (after a reboot); None: the host's own."""


class LocalNetworks(Networks, Whereabouts, Protocol): ...
