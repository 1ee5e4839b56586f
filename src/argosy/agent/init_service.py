"""What process is wanted, and where that is written down.

Here and in init_door `json` is imported where it is used: it takes half of the time of a start, and the agent, which
takes much longer, is to be on its way before.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence


class BadRequest(Exception):
    """nothing that can be done"""


class Service:
    """The same as model.guest.ServiceSpec, without what `dataclasses` costs in memory."""

    __slots__ = ("argv", "environment", "stop_seconds", "stop_signal")

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str] | None = None,
        stop_signal: int = signal.SIGTERM,
        stop_seconds: float = 60.0,
    ) -> None:
        self.argv, self.environment = tuple(argv), dict(environment or {})
        self.stop_signal, self.stop_seconds = int(stop_signal), stop_seconds

    def document(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


def parse(document: object) -> Service:
    """Raises BadRequest, saying what is wrong."""
    if not isinstance(document, dict) or not document.get("argv"):
        raise BadRequest("a service is an object with argv")
    try:
        return Service(
            [str(each) for each in document["argv"]],
            {str(name): str(value) for name, value in document.get("environment", {}).items()},
            signal.Signals(document.get("stop_signal", signal.SIGTERM)),
            float(document.get("stop_seconds", 60.0)),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise BadRequest(f"not a service: {error}") from error


def save(file: str, service: Service, *, wanted: bool) -> None:
    """On disk when this returns, whole or not at all. Raises OSError."""
    import json

    with open(file + ".new", "w", encoding="utf-8") as new:  # noqa: PTH123 - pathlib costs init a third of its memory
        json.dump({"wanted": wanted, "service": service.document()}, new)
        new.flush()
        os.fsync(new.fileno())
    os.rename(file + ".new", file)  # noqa: PTH104 - likewise
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def load(file: str) -> tuple[Service, bool] | None:
    """The service and whether it is wanted; None where none was ever saved. Raises BadRequest for a damaged file."""
    import json

    try:
        with open(file, encoding="utf-8") as saved:  # noqa: PTH123 - as above
            document = json.load(saved)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BadRequest(f"{file} is damaged: {error}") from error
    return parse(document.get("service")), bool(document.get("wanted"))
