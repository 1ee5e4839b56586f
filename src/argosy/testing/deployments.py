"""Whole deployments for tests: Argosy with all its processes in a short-lived state directory, on free ports."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from argosy import settings
from argosy.cli.env import variables
from argosy.client.credentials import Login
from argosy.client.resources import Client
from argosy.client.session import Session
from argosy.db.session import Database
from argosy.launcher import health, logins, processes
from argosy.launcher.health import State
from argosy.launcher.processes import Process
from argosy.settings import Settings
from argosy.testing import leftovers
from argosy.testing.claims import Claim
from argosy.testing.waiting import SLOWNESS, eventually

ORDINARY = "nobody"
"""Who a deployment of level `user` belongs to when root runs the tests: PostgreSQL refuses to run as root."""
READY = 120.0
"""Seconds that a start may take."""


class Ended(Exception):
    """The process above all others is not there any more: there is nothing to wait for."""


class Deployment:
    """A context: up inside, gone afterwards, with a look at whether anything was left behind.

    with Deployment(level="root", conductor={"heartbeat_seconds": 1}) as argosy:
        argosy.cli("db", "create", "m1", "--engine", "redis")
    """

    def __init__(self, level: str = "root", python: str = sys.executable, **told: Mapping[str, object]) -> None:
        self.level = level
        self._python = python
        """the interpreter of the installation that is run: of another release, where one is tested"""
        # In /tmp whatever TMPDIR says: guests keep Unix sockets below it, and their paths must be short.
        self.state = Path(tempfile.mkdtemp(prefix="ag-", dir="/tmp"))
        self.home = Path(tempfile.mkdtemp(prefix="ag-home-", dir="/tmp"))
        self._owner = pwd.getpwnam(ORDINARY) if level == "user" and os.geteuid() == 0 else None
        self._told = told
        self.lacks: frozenset[str] = frozenset()
        """roles that the release which is run does not have yet, nor their settings"""
        self._claim = Claim.make()
        self._process: subprocess.Popen[bytes] | None = None

    # --- a context ---

    def __enter__(self) -> Self:
        try:
            self.lay_out()
            self.up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- what tests use ---

    @property
    def settings(self) -> Settings:
        return settings.load(self.state, {})

    @property
    def database(self) -> Database:
        """The control database, to look at behind the API's back."""
        return Database(self.settings.database_url)

    @property
    def pids(self) -> dict[str, int]:
        """Of every process of the control plane that lives, by role."""
        found = (processes.recorded(self.settings.run, role) for role in processes.ROLES)
        return {process.role: process.pid for process in found if process}

    def login(self, name: str = "admin@admin") -> Login:
        """As `admin@admin` or `demo@demo`."""
        found = json.loads(logins.file(self.settings).read_text())
        for each in found:
            if f"{each['username']}@{each['project']}" == name:
                identity = self.settings.identity
                return Login(identity.url, each["username"], each["password"], each["project"], identity.region)
        raise KeyError(name)

    def client(self, name: str = "admin@admin") -> Client:
        return Client(Session(self.login(name)))

    def env(self, name: str = "admin@admin") -> dict[str, str]:
        """An environment in which argosy, openstack, trove and openstacksdk mean this deployment."""
        return {**self._environment(), **variables(str(self.state), self.login(name))}

    def cli(self, *arguments: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `argosy` as the administrator; with `check` it must end with 0."""
        return self._ran(self.env(), arguments, check=check, stdin=stdin)

    def bare(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `argosy` where nobody can log in, as there may be no deployment; it must end with 0."""
        return self._ran({**self._environment(), "ARGOSY_STATE": str(self.state)}, arguments)

    def _ran(
        self, environment: dict[str, str], arguments: Sequence[str], *, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [self._python, "-m", "argosy", *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **self._identity(),
        )
        assert not check or ended.returncode == 0, f"argosy {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended

    def kill(self, role: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to the process of this role; its pid."""
        process = self._process_of(role)
        assert process.signal(number), f"{role} was gone already"
        return process.pid

    def up(self) -> None:
        """Start it, as a child of ours; returns once everything answers."""
        with (self.state / "up.log").open("ab") as out:
            self._process = subprocess.Popen(
                [self._python, "-m", "argosy", "--state", str(self.state), "up", "--foreground"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                **self._identity(),
            )
        eventually(self._answers, within=READY)

    def down(self) -> None:
        """Stop the control plane; databases go on running."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60 * SLOWNESS)
            self._process = None

    def close(self) -> None:
        """Stop and remove everything. Asserts that nothing is left on the machine."""
        self.down()
        if (self.state / "argosy.toml").exists():
            self._uninstall()
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)
        self._claim.let_go()
        left = leftovers.find(self.state)
        assert not left, f"left behind by {self.state}: {left}"

    def lay_out(self) -> None:
        """Write its settings."""
        chosen = self._claim.ports
        tables: dict[str, dict[str, object]] = {
            "api": {"port": chosen.api},
            "identity": {"port": chosen.identity},
            "conductor": {"port": chosen.conductor},
            "console": {"port": chosen.console},
            "provider": {"level": self.level},
        }
        for section, options in self._told.items():
            tables.setdefault(section, {}).update(options)
        tables = {section: options for section, options in tables.items() if section not in self.lacks}
        (self.state / "argosy.toml").write_text(_toml(tables))
        (self.state / "argosy.toml").chmod(0o644)
        if self._owner is not None:
            os.chown(self.state, self._owner.pw_uid, self._owner.pw_gid)
            os.chown(self.home, self._owner.pw_uid, self._owner.pw_gid)

    # --- how ---

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise Ended(f"argosy up ended with {self._process.returncode}: {self._logs()}")
        reports = health.look(self.settings)
        wrong = [each for each in reports if each.health is not State.HEALTHY and each.role not in self.lacks]
        assert not wrong, f"{wrong}: {self._logs()}"
        return True

    def _logs(self) -> str:
        files = [self.state / "up.log", *sorted((self.state / "logs").glob("*.log"))]
        return "\n".join(f"--- {file.name}\n{file.read_text()[-1500:]}" for file in files if file.exists())

    def _uninstall(self) -> None:
        ended = subprocess.run(
            [self._python, "-m", "argosy", "--state", str(self.state), "uninstall", "--yes"],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            **self._identity(),
        )
        assert ended.returncode == 0, f"argosy uninstall: {ended.stdout}{ended.stderr}"

    def _process_of(self, role: str) -> Process:
        process = processes.recorded(self.settings.run, role)
        assert process is not None, f"{role} does not run"
        return process

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OS_", "ARGOSY_", "XDG_"))}
        return {**kept, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")}

    def _identity(self) -> dict[str, Any]:
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}


def _toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    """JSON's numbers, strings, booleans and lists are TOML's too."""
    lines = [
        f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())
        for section, options in tables.items()
    ]
    return "\n".join(lines)
