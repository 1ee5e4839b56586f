"""Modules: small additions that this guest was given. Another type is a function and a line in TYPES."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import clock, errors
from argosy.agent.guest import Guest
from argosy.agent.task import Task
from argosy.engines import files

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class BadModule(errors.Rejected):
    """the contents of the module cannot be used"""


@dataclass(frozen=True)
class ModuleType:
    apply: Callable[[Path, bytes], str]
    """From the agent's directory and the contents to a message for the owner; may be repeated. Raises BadModule."""
    remove: Callable[[Path], None]
    """May be repeated."""


def _ping(_directory: Path, contents: bytes) -> str:
    """Nothing but an answer: its contents are `message=…`."""
    return _values(contents).get("message", "") or "pong"


def _new_relic(directory: Path, contents: bytes) -> str:
    """The licence, where New Relic's agent can be told to look for it: its contents are `license_key=…`."""
    key = _values(contents).get("license_key", "")
    if not key.isalnum():
        raise BadModule("the contents name no license_key")
    files.write(_license(directory), f"license_key: {key}\n")
    return "the licence is in place"


def _license(directory: Path) -> Path:
    return directory / "newrelic-infra.yml"


TYPES: Mapping[str, ModuleType] = {
    "ping": ModuleType(_ping, lambda _directory: None),
    "new_relic_license": ModuleType(_new_relic, lambda directory: _license(directory).unlink(missing_ok=True)),
}


class ModuleVerbs:
    def __init__(self, guest: Guest) -> None:
        self._directory = guest.directory
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "apply_modules": self.apply,
            "remove_module": self.remove,
            "modules": self.list,
        }

    def apply(self, _task: Task, arguments: Arguments) -> Result:
        """One that cannot be applied says so, and does not keep the others from it."""
        return {"modules": {each["id"]: self._apply(each) for each in arguments["modules"]}}

    def remove(self, _task: Task, arguments: Arguments) -> Result:
        kept = self._kept()
        if arguments["id"] in kept:
            TYPES[kept.pop(arguments["id"])["type"]].remove(self._directory)
            self._keep(kept)
        return {}

    def list(self, _task: Task, _arguments: Arguments) -> Result:
        return {"modules": self._kept()}

    def _apply(self, module: Mapping[str, Any]) -> Result:
        try:
            contents = base64.b64decode(module["contents"], validate=True)
            told = {"status": "OK", "message": _type(module["type"]).apply(self._directory, contents)}
        except (BadModule, errors.NotSupported) as error:
            return {"status": "ERROR", "message": error.message}
        except binascii.Error:
            return {"status": "ERROR", "message": "the contents are not base64"}
        kept = {**told, "type": module["type"], "name": module["name"], "md5": module["md5"], "applied": clock.now()}
        self._keep({**self._kept(), module["id"]: kept})
        return told

    def _kept(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads((self._directory / "modules.json").read_text())
        except FileNotFoundError:
            return {}
        return kept

    def _keep(self, kept: Mapping[str, Any]) -> None:
        files.write(self._directory / "modules.json", json.dumps(kept))


def _type(name: str) -> ModuleType:
    if name not in TYPES:
        raise errors.NotSupported(f"the agent of this guest does not know modules of type {name}")
    return TYPES[name]


def _values(contents: bytes) -> dict[str, str]:
    """`name=value` lines."""
    lines = (line.partition("=") for line in contents.decode(errors="replace").splitlines())
    return {name.strip(): value.strip() for name, equals, value in lines if equals}
