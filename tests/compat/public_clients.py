"""The public clients, unmodified, each in a process of its own: `openstack`, the legacy `trove` shell, openstacksdk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
VENV = Path(os.environ.get("ARGOSY_CLIENTS_VENV") or HERE.parents[1] / ".venv-clients")


class Failed(Exception):
    """the client ended with an error"""


def installed() -> None:
    """Skips the test where the clients are not there, unless REQUIRE_ENGINES names clients: then they are installed."""
    if (VENV / "bin" / "openstack").exists() and (VENV / "bin" / "trove").exists():
        return
    if "clients" not in os.environ.get("REQUIRE_ENGINES", "").split(","):
        pytest.skip(f"no clients in {VENV}: tests/compat/install puts them there")
    subprocess.run([HERE / "install"], check=True)


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

    def _run(self, program: str, *arguments: str) -> str:
        command = [VENV / "bin" / program, *arguments]
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
