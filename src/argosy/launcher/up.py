"""Bring a deployment up, in the background or in this process; first make what it needs."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from argosy import clock, errors, settings
from argosy.launcher import account, code, forks, health, ports, processes, statedir, unit
from argosy.launcher.health import Report, State
from argosy.launcher.processes import Process
from argosy.providers.local import roots
from argosy.settings import BadSetting, Settings

PATIENCE = 60.0
"""Seconds after which a start counts as failed."""
TRIES = 3
"""Starts of the supervisor after which it will not come up by waiting."""
KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
"""What the processes inherit of the environment, besides ARGOSY_*: no token, proxy or module path of the caller's."""
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576"}
"""mallopt(3): a password hash takes 19 MiB, and without this every thread would keep as much for ever."""


class NotUp(errors.Broken):
    """Argosy did not come up"""


def prepare(state: Path, port_base: int | None = None) -> Settings:
    """The deployment in `state`, made if there is none. Raises BadSetting where the level does not fit the user, or the
    unprivileged processes may not look for engines where they are told to.
    """
    if (state / "argosy.toml").exists():
        _check_level(settings.load(state))
    user = account.ensure() if os.geteuid() == 0 else None
    deployment = statedir.prepare(state, user, port_base)
    _check_engines(deployment, user)
    return deployment


def _check_level(deployment: Settings) -> None:
    """Before anything changes hands. Raises BadSetting."""
    level, root = deployment.provider.level, os.geteuid() == 0
    if level == "root" and not root:
        raise BadSetting(f"{deployment.state} belongs to a deployment of root: start it as root")
    if level == "user" and root:
        raise BadSetting(f"{deployment.state} belongs to a deployment of an ordinary user: start it as that user")


def _check_engines(deployment: Settings, user: pwd.struct_passwd | None) -> None:
    """As the user who will look for them. Raises BadSetting."""
    barred = forks.ask(lambda: roots.barred(roots.directory(deployment)), user)
    if barred:
        raise BadSetting(f"provider.engines: {barred}, or name another directory")


def top(deployment: Settings) -> str:
    """Role of the process above all others."""
    return "launcher" if deployment.provider.level == "root" else "supervisor"


def running(deployment: Settings) -> Process | None:
    return processes.recorded(deployment.run, top(deployment))


def in_background(deployment: Settings) -> bool:
    """Start what does not run and wait until all of it answers; false when all ran already. Raises NotUp, PortTaken."""
    fresh = running(deployment) is None
    if fresh:
        _start(deployment)
    _wait(deployment)
    return fresh


def in_foreground(deployment: Settings) -> NoReturn:
    """Become the top process. Raises NotUp when there is one, PortTaken."""
    with statedir.locked(deployment.state):
        other = running(deployment)
        if other is not None:
            raise NotUp(f"Argosy runs already, as process {other.pid}: see argosy status")
        _require_ports(deployment)
        code.record(deployment.run)
        processes.record(deployment.run, processes.observe(top(deployment), os.getpid()))
        command = _command(deployment)
        os.execve(command[0], command, _environment())  # noqa: S606 - no shell is wanted


def _start(deployment: Settings) -> None:
    if unit.wanted(deployment):
        _require_ports(deployment)
        unit.start(deployment)
        _await_record(deployment)
        return
    with statedir.locked(deployment.state):
        if running(deployment) is None:
            _require_ports(deployment)
            _spawn(deployment)


def _require_ports(deployment: Settings) -> None:
    """Raises PortTaken where somebody else listens. What is left of us after a kill goes when we start."""
    for service in health.services(deployment):
        place = urlsplit(service.address)
        if place.hostname is None or place.port is None or processes.recorded(deployment.run, service.process):
            continue
        if not ports.free(place.port, place.hostname):
            raise ports.PortTaken(
                f"port {place.port} of {place.hostname} is in use, maybe by another deployment: stop what listens there"
                f" (`ss -ltnp` tells), or choose another by {service.role}.port in {deployment.state}/argosy.toml"
            )


def _spawn(deployment: Settings) -> None:
    code.record(deployment.run)
    with forks.appended(deployment.state / "logs" / f"{top(deployment)}.log") as out:
        child = subprocess.Popen(
            _command(deployment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    processes.record(deployment.run, processes.observe(top(deployment), child.pid))


def _command(deployment: Settings) -> list[str]:
    module = {"launcher": "argosy.launcher.root", "supervisor": "argosy.launcher.supervisor"}[top(deployment)]
    return [sys.executable, "-m", module, "--state", str(deployment.state)]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("ARGOSY_")}
    return {**kept, **MALLOC}


def _await_record(deployment: Settings) -> None:
    """The unit has started a moment before its process says who it is."""
    limit = clock.monotonic() + PATIENCE
    while running(deployment) is None and clock.monotonic() < limit:
        time.sleep(0.05)


def _wait(deployment: Settings) -> None:
    limit, supervisors = clock.monotonic() + PATIENCE, set[int]()
    while missing := _missing(deployment):
        supervisor = processes.recorded(deployment.run, "supervisor")
        supervisors |= {supervisor.pid} if supervisor else set()
        if running(deployment) is None or len(supervisors) > TRIES or clock.monotonic() > limit:
            raise NotUp(_cause(deployment, missing))
        time.sleep(0.05)


def _missing(deployment: Settings) -> Report | None:
    """The first that is not healthy."""
    return next((report for report in health.look(deployment) if report.health is not State.HEALTHY), None)


def _cause(deployment: Settings, missing: Report) -> str:
    told = f"Argosy did not come up, as {missing.role} is {missing.health} {missing.message}".rstrip()
    role = "api" if missing.role == "identity" else missing.role
    for name in (role, "supervisor"):
        log = deployment.state / "logs" / f"{name}.log"
        last = log.read_text().splitlines()[-3:] if log.exists() else []
        told += "".join(f"\n{log.name}: {line[:1000]}" for line in last)
    return told
