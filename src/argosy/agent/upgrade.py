"""Verbs of a guest whose data have been of an older version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from argosy import errors
from argosy.agent import history
from argosy.agent.configuration import Configuration
from argosy.agent.guest import Guest
from argosy.agent.lifecycle import FIRST
from argosy.agent.task import Task
from argosy.engines.upgrades import Upgrades
from argosy.model.guest import Identity, ServiceSpec

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Server(Protocol):
    """What can be done to the server's process."""

    def raise_up(self, task: Task, service: ServiceSpec) -> Result: ...


class UpgradeVerbs:
    def __init__(self, guest: Guest, configuration: Configuration, server: Server) -> None:
        self._guest = guest
        self._configuration = configuration
        self._server = server
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "upgrade": self.upgrade,
            "measure": self.measure,
        }

    def upgrade(self, task: Task, arguments: Arguments) -> Result:
        """From data of an older version to data that a server of this one was seen with, all that is to be there in
        them. It is stopped again, and nobody but us has reached it: until it is started, going back loses nothing.
        """
        driver = self._guest.driver()
        if not isinstance(driver, Upgrades):
            raise errors.NotSupported(f"{self._guest.engine.title} cannot be upgraded")
        self._guest.service.stop()
        self._guest.certify()
        driver.convert()
        driver.adopt(Identity(self._guest.boot.guest, FIRST))
        history.want(self._guest, arguments)
        self._configuration.apply(arguments["overrides"])
        seen = self._server.raise_up(task, driver.secluded())
        driver.examine()
        self._guest.service.stop()
        return seen

    def measure(self, task: Task, _arguments: Arguments) -> Result:
        driver = self._guest.driver()
        self._server.raise_up(task, driver.service())
        if isinstance(driver, Upgrades):
            driver.measure()
        return {}
