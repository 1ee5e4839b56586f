"""The public clients, unmodified, each in a process of its own: `openstack`, the legacy `trove` shell, openstacksdk."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.testing import environments

HERE = Path(__file__).parent
VENV = Path(os.environ.get("ARGOSY_CLIENTS_VENV") or HERE.parents[1] / ".venv-clients")
PACKAGES = tuple(
    line for line in (HERE / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")
)


class Failed(Exception):
    """the client ended with an error"""


def installed() -> None:
    """Skips the test where they are not, unless REQUIRE_ENGINES names clients: then they are installed."""
    environments.require("clients", VENV, PACKAGES)


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    def output(self, command: str) -> str:
        if self.status != 0:
            raise Failed(f"{command}: {self.out}{self.err}")
        return self.out


class Preloaded:
    """clients/preloaded.py, for one thread of ours."""

    def __init__(self) -> None:
        command = [str(VENV / "bin" / "python"), "-W", "ignore", str(HERE / "clients" / "preloaded.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        atexit.register(self._end)

    def run(self, asked: Mapping[str, Any]) -> Ended:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))

    def _end(self) -> None:
        self._process.communicate()


_OURS = threading.local()


def _preloaded() -> Preloaded:
    """Of this thread."""
    if not hasattr(_OURS, "preloaded"):
        _OURS.preloaded = Preloaded()
    found: Preloaded = _OURS.preloaded
    return found


def commands() -> dict[str, list[str]]:
    """What the installed clients know, by client."""
    program = [str(VENV / "bin" / "python"), "-W", "ignore", str(HERE / "clients" / "commands.py")]
    told: dict[str, list[str]] = json.loads(subprocess.check_output(program, text=True))
    return told


@dataclass(frozen=True)
class Clients:
    """Of one user of one deployment. Everything raises Failed with what the client said."""

    environment: Mapping[str, str]

    def openstack(self, *arguments: str) -> Any:
        """What the command shows, from JSON; of a command that shows nothing, what it says."""
        if set(arguments) & {"list", "show", "create", "issue"}:
            return json.loads(self._run("openstack", *arguments, "-f", "json"))
        return self._run("openstack", *arguments)

    def trove(self, *arguments: str) -> list[list[str]]:
        """The cells of the table that the command prints, headings first."""
        told = self._run("trove", *arguments)
        return [[_cell(each) for each in line.split("|")[1:-1]] for line in told.splitlines() if line.startswith("|")]

    def sdk(self, program: str, *arguments: str) -> Any:
        """What a program of ours says that uses openstacksdk: sdk/<program>.py."""
        return json.loads(self._run("python", "-W", "ignore", str(HERE / "sdk" / f"{program}.py"), *arguments))

    def said(self, program: str, *arguments: str) -> Ended:
        """However `openstack` or `trove` ended: by its own main function, in a fork of a process that imported it."""
        asked = {"program": program, "arguments": arguments, "environment": dict(self.environment)}
        return _preloaded().run(asked)

    def _run(self, program: str, *arguments: str) -> str:
        if program in ("openstack", "trove"):
            return self.said(program, *arguments).output(f"{program} {' '.join(arguments)}")
        command = [str(VENV / "bin" / program), *arguments]
        ended = subprocess.run(
            command, env=dict(self.environment), capture_output=True, text=True, check=False, cwd="/", timeout=120
        )
        if ended.returncode != 0:
            raise Failed(f"{program} {' '.join(arguments)}: {ended.stdout}{ended.stderr}")
        return ended.stdout


def _cell(text: str) -> str:
    """The shell of today prints b'…' around what it encoded for Python 2."""
    text = text.strip()
    return text[2:-1] if text.startswith("b'") else text
