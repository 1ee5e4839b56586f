"""Does commands, one after another, and never one twice: what was answered stands in the journal.

What takes long has a lane of its own: behind a backup of hours nobody waits for a list of users.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Container, Mapping
from typing import Any

from argosy import clock, errors
from argosy.agent.journal import Journal
from argosy.agent.task import Task
from argosy.model import wire

log = logging.getLogger(__name__)

PATIENCE = 120.0
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""seconds that a verb is tried for, and between two tries"""

QUICK, LONG = "quick", "long"
"""lanes"""

Verbs = Mapping[str, Callable[[Task, Mapping[str, Any]], dict[str, Any]]]


class Work:
    def __init__(
        self,
        journal: Journal,
        verbs: Verbs,
        say: Callable[[wire.Frame], None],
        after: Callable[[], Any],
        long: Container[str] = (),
    ) -> None:
        self._journal = journal
        self._verbs = verbs
        self._long = long
        """verbs that go in the lane for it"""
        self._say = say
        self._after = after
        """called after each command and before its answer: what it changed is told first"""
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._lanes: dict[str, queue.SimpleQueue[Task]] = {lane: queue.SimpleQueue() for lane in (QUICK, LONG)}

    def run(self, lane: str = QUICK) -> None:
        while True:
            task = self._lanes[lane].get()
            answer = self._do(task)
            self._journal.done(answer)
            with self._lock:
                del self._tasks[task.command.id]
            self._say(answer)

    def take(self, command: wire.Command) -> None:
        """Do it, unless it is being done; answer as before when it was."""
        answer = self._journal.answered(command.id)
        if answer is not None:
            self._say(answer)
            return
        with self._lock:
            if command.id not in self._tasks:
                self._tasks[command.id] = Task(command, self._say)
                self._lanes[LONG if command.verb in self._long else QUICK].put(self._tasks[command.id])

    def cancel(self, command: str) -> None:
        with self._lock:
            task = self._tasks.get(command)
        if task is not None:
            task.cancel()
        elif (answer := self._journal.answered(command)) is not None:
            self._say(answer)
        else:
            self._finish(wire.Answer(command, error="cancelled before it began", error_kind="rejected"))

    def _finish(self, answer: wire.Answer) -> None:
        self._journal.done(answer)
        self._say(answer)

    def _do(self, task: Task) -> wire.Answer:
        command = task.command
        try:
            task.check()
            self._heed(command)
            result = self._try(task)
            self._after()
        except errors.ArgosyError as error:
            return wire.Answer(command.id, error=error.message, error_kind=kind(error))
        except Exception as error:
            log.exception("a command failed", extra={"command": command.id, "verb": command.verb})
            return wire.Answer(command.id, error=f"{command.verb}: {type(error).__name__}: {error}")
        return wire.Answer(command.id, result)

    def _try(self, task: Task) -> dict[str, Any]:
        """What is not available just now is tried again for a while: the conductor may be away, and init restarting."""
        end, wait = clock.monotonic() + PATIENCE, FIRST_WAIT
        while True:
            try:
                return self._verbs[task.command.verb](task, task.command.arguments)
            except errors.Unavailable:
                if clock.monotonic() > end:
                    raise
                task.pause(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    def _heed(self, command: wire.Command) -> None:
        if command.verb not in self._verbs:
            raise errors.NotSupported(f"this agent does not know how to {command.verb}: it is older than the conductor")
        if command.term and command.term < self._journal.term:
            raise errors.Conflict(f"term {command.term} is over: this member has seen term {self._journal.term}")
        self._journal.raise_term(command.term)


def kind(error: errors.ArgosyError) -> str:
    """Who must act, for the other side."""
    if isinstance(error, errors.Rejected):
        return "rejected"
    return "unavailable" if isinstance(error, errors.Unavailable) else ""
