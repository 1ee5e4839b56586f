"""Logs of a database server: which there are, what switches them, and where their text comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


class Kind(StrEnum):
    USER = "USER"
    """its owner switches it"""
    SYS = "SYS"
    """always written"""


@dataclass(frozen=True)
class Switch:
    """The setting that makes the server write a log."""

    setting: str
    on: str
    off: str
    shipped: bool
    """written unless somebody says otherwise"""

    def is_on(self, settings: Mapping[str, Any]) -> bool:
        """Whether a server that is told these settings writes the log. Other values than `off` are thresholds."""
        if self.setting not in settings:
            return self.shipped
        value = settings[self.setting]
        return value is not False and str(value).lower() != self.off.lower()

    def turned(self, settings: Mapping[str, Any], *, on: bool) -> dict[str, Any]:
        """These settings with the log on or off. A threshold that its owner has chosen stays."""
        if on and self.is_on(settings):
            return dict(settings)
        return {**settings, self.setting: self.on if on else self.off}


@dataclass(frozen=True)
class Log:
    name: str
    switch: Switch | None = None
    """None: the server always writes it"""
    admin_only: bool = False

    @property
    def kind(self) -> Kind:
        return Kind.USER if self.switch else Kind.SYS


ERROR = Log("error")
"""What every server says on its standard error."""
GUEST = Log("guest", admin_only=True)
"""What the agent says of itself; every engine's instances have it."""


@runtime_checkable
class Logs(Protocol):
    """Where the text of the declared logs comes from. Nothing here waits longer than two seconds."""

    def log_pipes(self) -> Mapping[str, Path]:
        """Log -> the named pipe that the server writes it to; `configure` has made it."""

    def log_kept(self, log: str, line: bytes) -> bytes:
        """A line from a pipe as it is kept: empty for what is about our own administrator's sessions."""

    def log_of(self, line: bytes) -> str:
        """The log that a line of the server's standard output belongs to; empty when it goes on with the line before
        it.
        """

    def log_memory(self, since: str) -> tuple[Mapping[str, bytes], str]:
        """Log -> text that the server has kept in its memory after `since`, and the next `since`; empty at first."""

    def logs_on(self) -> frozenset[str]:
        """The logs that the running server writes. Raises GuestFailed when it does not answer."""
