"""One command under way: what its verb may say and ask meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

from argosy import errors
from argosy.model import wire


class Cancelled(errors.Rejected):
    """cancelled"""


class Task:
    def __init__(self, command: wire.Command, say: Callable[[wire.Frame], None]) -> None:
        self.command = command
        self._say = say
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def check(self) -> None:
        """Raises Cancelled when nobody wants the result any more."""
        if self._cancelled.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait, and raise Cancelled as soon as nobody wants the result any more."""
        self._cancelled.wait(seconds)
        self.check()

    def progress(self, done: int, total: int = 0, unit: str = "bytes") -> None:
        self._say(wire.Progress(self.command.id, done, total, unit))
