"""Verbs that switch the shipping of the engine's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from argosy import clock, errors
from argosy.agent.guest import Guest
from argosy.agent.shipper import Order, Shipper
from argosy.agent.task import Task
from argosy.engines.archiving import PointInTime
from argosy.model.guest import Probe

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Server(Protocol):
    """What can be done to the server's process."""

    def restart(self, task: Task, arguments: Arguments) -> Result: ...

    def await_healthy(self, task: Task) -> Probe: ...


class ArchiveVerbs:
    def __init__(self, guest: Guest, shipper: Shipper, server: Server) -> None:
        self._guest, self._shipper, self._server = guest, shipper, server
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "archive": self.archive,
            "log_ready": self.log_ready,
            "write_log": self.write_log,
        }

    def archive(self, _task: Task, arguments: Arguments) -> Result:
        """Ship the log as this stream, or (0) none any more; since when the engine keeps it."""
        if not arguments["stream"]:
            self._shipper.end()
            return {}
        self._shipper.begin(
            Order(
                stream=int(arguments["stream"]),
                key=str(arguments["key"]),
                interval=float(arguments["interval"]),
                keep_bytes=int(arguments["keep_bytes"]),
            )
        )
        return {"at": clock.now()}

    def log_ready(self, _task: Task, _arguments: Arguments) -> Result:
        """Whether it can be shipped, or the server must be restarted before."""
        return {"ready": self._facet().log_ready()}

    def write_log(self, task: Task, arguments: Arguments) -> Result:
        """Have the server write it, by a restart unless it does: an agent may have been killed in one."""
        driver = self._facet()
        self._server.await_healthy(task)
        if driver.log_ready():
            return {}
        driver.log_want(True)
        told = self._server.restart(task, arguments)
        if not driver.log_ready():
            raise errors.GuestFailed(f"{self._guest.engine.title} writes no log although it was restarted for that")
        return told

    def _facet(self) -> PointInTime:
        """Raises NotSupported."""
        driver = self._guest.driver()
        if not isinstance(driver, PointInTime):
            raise errors.NotSupported(f"{self._guest.engine.title} cannot be archived")
        return driver
