"""Verbs that take one database, or tables of it, out of this server, and put them into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from argosy.agent import moving
from argosy.agent.guest import Guest
from argosy.agent.task import Task
from argosy.model.backups import begun

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class ExcerptVerbs:
    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._scratch = guest.directory / "excerpt"
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "take_out": self.take_out,
            "put_in": self.put_in,
        }

    def take_out(self, task: Task, arguments: Arguments) -> Result:
        """What was taken is in the store, below the name `attempt` of the answer."""
        told = {name: arguments[name] for name in ("backup", "key", "database", "tables")}
        return self._moved(task, {**told, "do": "take_out", "attempt": begun(arguments["attempt"])})

    def put_in(self, task: Task, arguments: Arguments) -> Result:
        """Nothing that is there is replaced."""
        told = {name: arguments[name] for name in ("chain", "excerpt", "into")}
        return self._moved(task, {**told, "do": "put_in"})

    def _moved(self, task: Task, job: Result) -> Result:
        where = {"guest": str(self._guest.directory), "command": task.command.id, "limits": {}}
        return moving.move(task, {**where, **job}, self._scratch, 0)
