"""Verbs that switch the shipping of the engine's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from argosy import clock
from argosy.agent.shipper import Order, Shipper
from argosy.agent.task import Task

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class ArchiveVerbs:
    def __init__(self, shipper: Shipper) -> None:
        self._shipper = shipper
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {"archive": self.archive}

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
