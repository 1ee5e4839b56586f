"""Verbs that bring a guest's data into the store and back. The moving itself is a child's: agent/archiver.py."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from argosy import errors
from argosy.agent import boot, moving
from argosy.agent.guest import Guest
from argosy.agent.holds import Hold
from argosy.agent.lifecycle import FIRST
from argosy.agent.restoring import Restoring
from argosy.agent.task import Task
from argosy.engines.backups import Backups, Flushes, Untidy, unchanged
from argosy.model.backups import begun
from argosy.model.guest import Identity

LONG = frozenset({"backup", "restore", "flush", "take_out", "put_in"})
"""verbs that must not hold up others"""

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Server(Protocol):
    """What can be done to the server's process."""

    def bring_up(self, task: Task, arguments: Arguments, identity: Identity) -> Result: ...

    def settle(self, arguments: Arguments, identity: Identity) -> None: ...


class BackupVerbs:
    def __init__(self, guest: Guest, server: Server) -> None:
        self._guest = guest
        self._server = server
        self._scratch = guest.directory / "archive"
        self._hold: Hold | None = None
        self._seen: Mapping[str, Any] = {}
        self._clear()
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "backup": self.backup,
            "restore": self.restore,
            "flush": self.flush,
            "quiesce": self.quiesce,
            "release": self.release,
            "examine": self.examine,
        }

    def backup(self, task: Task, arguments: Arguments) -> Result:
        """What the engine's tool says is in the store, below the name `attempt` of the answer."""
        _facet(self._guest)
        attempt = begun(arguments["attempt"])
        job = {**self._job("dump", task, arguments), **_only(arguments, "backup", "key", "strategy", "since")}
        try:
            return moving.move(task, {**job, "attempt": attempt}, self._scratch, int(arguments.get("total") or 0))
        except BaseException:
            self._tidy()
            raise

    def restore(self, task: Task, arguments: Arguments) -> Result:
        """From an empty volume to what `prepare` makes of one, with the data of a chain of backups. Without a chain
        the data are on the volume already, as the files of a server that was stopped or killed.
        """
        _facet(self._guest)
        site, chain = boot.site(self._guest.directory), arguments["chain"]
        restoring, moved = Restoring(site.data, task.command.id), {}
        if chain and not restoring.done:
            restoring.begin()
            self._guest.service.stop()  # of data that were there before
            moved = self._load(task, arguments, restoring)
            restoring.publish()
            moved |= self._replay(task, arguments, restoring)
            restoring.finish()
        return {**moved, **self._server.bring_up(task, arguments, self._identity)}

    def flush(self, _task: Task, _arguments: Arguments) -> Result:
        driver = self._guest.driver()
        if isinstance(driver, Flushes):
            driver.flush()
        return {}

    def quiesce(self, _task: Task, arguments: Arguments) -> Result:
        """Hold the server still for at most so many seconds. Raises Busy while somebody else does."""
        name, hold = arguments["hold"], self._hold
        if hold is not None and hold.name != name and not hold.over:
            raise errors.Busy("the server is held still already")
        if hold is None or hold.name != name:
            driver = _facet(self._guest)
            self._seen = driver.canaries()
            self._hold = hold = Hold(name, driver, float(arguments["seconds"]))
        hold.await_held()
        return {"position": dict(hold.position)}

    def release(self, _task: Task, arguments: Arguments) -> Result:
        """For how long it was held. Raises Conflict when that was not so throughout: what was made meanwhile counts for
        nothing.
        """
        if self._hold is None or self._hold.name != arguments["hold"]:
            raise errors.Conflict("the server is not held still for that any more")
        held = self._hold.release()
        return {"held": held, "canaries": unchanged(self._seen, _facet(self._guest).canaries())}

    def examine(self, _task: Task, arguments: Arguments) -> Result:
        return {"report": dict(_facet(self._guest).examine_restored(arguments.get("canaries") or {}))}

    def _clear(self) -> None:
        """What an agent that was killed has left."""
        if self._scratch.exists():
            moving.clear(self._scratch)
            self._tidy()
        with contextlib.suppress(boot.BadBoot):
            Restoring(boot.site(self._guest.directory).data, "").clear()

    def _tidy(self) -> None:
        """At the server, if it can be reached: else the next backup will."""
        with contextlib.suppress(errors.ArgosyError, OSError):
            driver = self._guest.driver()
            if isinstance(driver, Untidy):
                driver.tidy()

    def _load(self, task: Task, arguments: Arguments, restoring: Restoring) -> Result:
        total = sum(int(each["raw_bytes"]) for each in arguments["chain"])
        job = {**self._job("load", task, arguments), "chain": arguments["chain"], "data": str(restoring.unfinished)}
        try:
            return moving.move(task, job, restoring.scratch, total)
        except BaseException:
            restoring.clear()
            raise

    def _replay(self, task: Task, arguments: Arguments, restoring: Restoring) -> Result:
        """On from the backup, along the log that was archived."""
        if not arguments.get("logs"):
            return {}
        self._server.settle(arguments, self._identity)
        position = arguments["chain"][-1]["position"]
        job = {**self._job("replay", task, arguments), "logs": arguments["logs"], "position": position}
        return {"replayed": moving.move(task, job, restoring.scratch, 0)}

    @property
    def _identity(self) -> Identity:
        """The data's, which a new server over them does not change."""
        return Identity(self._guest.boot.guest, FIRST)

    def _job(self, do: str, task: Task, arguments: Arguments) -> Result:
        limits = arguments.get("limits") or {}
        return {"do": do, "guest": str(self._guest.directory), "command": task.command.id, "limits": limits}


def _facet(guest: Guest) -> Backups:
    """Raises NotSupported."""
    driver = guest.driver()
    if not isinstance(driver, Backups):
        raise errors.NotSupported(f"{guest.engine.title} has no backups")
    return driver


def _only(arguments: Arguments, *names: str) -> Result:
    return {name: arguments.get(name) for name in names}
