"""The guest's init, which keeps the engine running: one JSON object per line over its Unix socket."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.model.guest import ServiceSpec

ANSWER_SECONDS = 10.0
STOP_SECONDS = 90.0
"""for what may have to stop an engine; its own patience (ServiceSpec.stop_seconds) is shorter"""


class InitSilent(errors.Unavailable):
    """the guest's init does not answer"""


@dataclass(frozen=True)
class Status:
    """The engine's process as init sees it."""

    running: bool
    wanted: bool
    pid: int = 0
    starts: int = 0
    failures: int = 0
    """quick deaths in a row, and starts for which there was no program"""
    exit: int | None = None
    since: float = 0.0
    """when this began, in seconds since the machine started"""
    tail: str = ""
    """last lines of the engine's standard error"""


class Service:
    def __init__(self, path: Path) -> None:
        self._path = path

    def start(self, spec: ServiceSpec) -> None:
        """Keep this running from now on. Raises InitSilent, GuestFailed."""
        self._ask({"do": "start", "service": asdict(spec)}, ANSWER_SECONDS)

    def stop(self) -> None:
        """Stopped when this returns, and until `start`."""
        self._ask({"do": "stop"}, STOP_SECONDS)

    def restart(self) -> None:
        self._ask({"do": "restart"}, STOP_SECONDS)

    def hurry(self) -> None:
        """Try now, rather than after the pause that failed starts have earned."""
        self._ask({"do": "hurry"}, ANSWER_SECONDS)

    def status(self) -> Status:
        told = self._ask({"do": "status"}, ANSWER_SECONDS)
        return Status(
            running=bool(told.get("running")),
            wanted=bool(told.get("wanted")),
            pid=int(told.get("pid") or 0),
            starts=int(told.get("starts") or 0),
            failures=int(told.get("failures") or 0),
            exit=told.get("exit"),
            since=float(told.get("since") or 0),
            tail=str(told.get("tail") or ""),
        )

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            answer = self._converse(request, seconds)
        except (OSError, ValueError) as error:
            raise InitSilent(f"the guest's init does not answer at {self._path}: {error}") from error
        if answer.get("ok") is False or answer.get("error"):
            raise errors.GuestFailed(str(answer.get("error") or f"the guest's init refused to {request['do']}"))
        return answer

    def _converse(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(str(self._path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline())
        if not isinstance(answer, dict):
            raise ValueError("not an object")  # noqa: TRY004 - as json says what it cannot read
        return answer
