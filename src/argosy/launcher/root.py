"""The root launcher: keeps the root helper and the unprivileged supervisor alive, and does nothing else.

python -m argosy.launcher.root --state DIR
"""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path

from argosy import logs, settings
from argosy.launcher import account, processes
from argosy.launcher.keeper import Child, Keeper
from argosy.settings import Settings

GRACE = 15.0
"""Seconds that the supervisor has to end its own children and itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    told = parser.parse_args(arguments)
    logs.start("launcher")
    return keep(settings.load(told.state), account.ensure())


def keep(deployment: Settings, user: pwd.struct_passwd) -> int:
    left = [processes.recorded(deployment.run, role) for role in ("supervisor", "helper")]
    processes.end([process for process in left if process], GRACE)
    children = [
        _child(deployment, "helper", "argosy.providers.local.helper", None),
        _child(deployment, "supervisor", "argosy.launcher.supervisor", user),
    ]
    return Keeper(deployment.run, children, GRACE).keep()


def _child(deployment: Settings, role: str, module: str, user: pwd.struct_passwd | None) -> Child:
    command = [sys.executable, "-m", module, "--state", str(deployment.state)]
    log = deployment.state / "logs" / f"{role}.log"
    return Child(role, lambda _former: os.execv(command[0], command), log, user)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    sys.exit(main())
