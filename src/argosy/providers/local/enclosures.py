"""What holds a guest together and apart from others: what level root and level user differ in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from argosy.providers.base import Feature
from argosy.providers.local.guests import Guest, View


class Enclosure(Protocol):
    @property
    def features(self) -> frozenset[Feature]: ...

    def check(self) -> None:
        """Raises CloudFailed, saying what to install, when no guest could be started."""

    def user(self, name: str) -> int:
        """The user id that the guest runs as, reserved for it."""

    def limit(self, name: str, ram: int, vcpus: float) -> None:
        """Set the guest's limits, before its first process as well as while it runs."""

    def view(self, guest: Guest) -> View: ...

    def command(self, guest: Guest) -> Sequence[str]:
        """Starts the guest's init; {lock} stands for a descriptor that init must get."""

    def environment(self, guest: Guest) -> Mapping[str, str]: ...

    def ask_to_stop(self, name: str) -> None:
        """SIGTERM to the guest's init, if there is one."""

    def renew_agent(self, name: str) -> None:
        """SIGTERM to the guest's agent: its init starts another. Raises CloudFailed where that would be the same."""

    def end(self, name: str) -> bool:
        """Kill all of the guest; True when it is certain that nothing is left running."""

    def remove(self, name: str) -> None:
        """What `user` and `limit` made."""
