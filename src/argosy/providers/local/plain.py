"""Level user: guests are plain processes of our own user, without limits and without walls."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Feature
from argosy.providers.local import processes
from argosy.providers.local.guests import Guest, View
from argosy.providers.local.layout import Layout
from argosy.providers.local.processes import Holders
from argosy.providers.local.runtime import Runtime

END_SECONDS = 5.0


@dataclass(frozen=True)
class Plain:
    layout: Layout
    runtime: Runtime

    @property
    def features(self) -> frozenset[Feature]:
        return frozenset()

    def check(self) -> None:
        need("setsid", "setpriv")

    def user(self, name: str) -> int:  # noqa: ARG002 - without root there is only one user
        return os.getuid()

    def limit(self, name: str, ram: int, vcpus: float) -> None:
        """Not enforced at this level, and not claimed."""

    def view(self, guest: Guest) -> View:
        return View(guest.root, guest.data, guest.state, guest.before)

    def command(self, guest: Guest) -> Sequence[str]:
        return self.runtime.init(guest.state)

    def environment(self, guest: Guest) -> Mapping[str, str]:
        return self.runtime.environment(guest.state)

    def ask_to_stop(self, name: str) -> None:
        init = Holders([self._lock(name)])
        processes.send(init, init.members(), signal.SIGTERM)

    def renew_agent(self, name: str) -> None:
        agents = Holders(list(self.layout.guests.glob(f"{name}.*/agent.lock")))
        processes.send(agents, processes.running(agents.members(), self.runtime.agent), signal.SIGTERM)

    def end(self, name: str) -> bool:
        """Init, agent and engine hold locks, and so does every process that the engine made."""
        children = self.layout.guests.glob(f"{name}.*/*.lock")
        return processes.end(Holders([self._lock(name), *children]), END_SECONDS)

    def remove(self, name: str) -> None:
        """Nothing was made."""

    def _lock(self, name: str) -> Path:
        return self.layout.servers / name / "lock"


def need(*programs: str) -> None:
    """Raises CloudFailed, saying what to install."""
    packages = {"bwrap": "bubblewrap"}
    for program in programs:
        if shutil.which(program) is None:
            package = packages.get(program, "util-linux")
            raise errors.CloudFailed(f"{program} is not installed: install the package {package}")
