"""Verbs of a guest whose size or whose server changes under its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from argosy import errors
from argosy.agent import history
from argosy.agent.configuration import Configuration
from argosy.agent.guest import Guest
from argosy.agent.task import Task
from argosy.model.guest import Identity, Probe

FIRST = 1
"""The generation under which data get their identity. It is theirs: a new server over them changes nothing of it."""

MIB = 1 << 20
Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Server(Protocol):
    """What can be done to the server's process."""

    def restart(self, task: Task, arguments: Arguments) -> Result: ...

    def start(self, task: Task, arguments: Arguments) -> Result: ...


class Lifecycle:
    def __init__(self, guest: Guest, configuration: Configuration, server: Server, look: Callable[[], Probe]) -> None:
        self._guest = guest
        self._configuration = configuration
        self._server = server
        self._look = look
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {"fit": self.fit, "rebuild": self.rebuild}

    def fit(self, task: Task, arguments: Arguments) -> Result:
        """Make the server fit what the site says by now: at once where it can, by a restart where it cannot or where
        memory is to be given back (`restart`). A stopped one will when it is started.
        """
        late = self._configuration.apply()
        if self._guest.service.status().wanted:
            _check_room(self._look().metrics)
            if late or arguments.get("restart"):
                return self._server.restart(task, {})
        return self._configuration.told()

    def rebuild(self, task: Task, arguments: Arguments) -> Result:
        """From data that had a server before to one that answers, with all its accounts; stopped unless `run`."""
        self._guest.certify()
        if not self._guest.service.status().wanted:
            self._guest.driver().adopt(Identity(self._guest.boot.guest, FIRST))
            history.want(self._guest, arguments)
        overrides = {"overrides": arguments.get("overrides", {})}
        if arguments["run"]:
            return self._server.start(task, overrides)
        self._configuration.apply(overrides["overrides"])
        return self._configuration.told()


def _check_room(metrics: Mapping[str, float]) -> None:
    """Raises GuestFailed for a server that holds its data in memory, and more than it may by now."""
    held, most = metrics.get("memory_bytes", 0.0), metrics.get("max_memory_bytes", 0.0)
    if most and held > most:
        raise errors.GuestFailed(
            f"the data take {held / MIB:.0f} MiB of memory and {most / MIB:.0f} would be left for them:"
            " delete some, or choose a larger flavor"
        )
