"""The unprivileged supervisor: imports its processes once, forks them, and keeps them alive.

    python -m argosy.launcher.supervisor --state DIR

Forking after the imports lets the processes share the memory of their code. What went before a fork opened no
connection and no thread, so nothing is shared that must not be.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from argosy import logs, settings
from argosy.launcher import preparing, processes
from argosy.launcher.keeper import Child, Keeper
from argosy.launcher.processes import Process
from argosy.settings import Settings

log = logging.getLogger(__name__)

MODULES = {
    "conductor": "argosy.conductor.main",
    "taskmanager": "argosy.taskmanager.main",
    "api": "argosy.api.main",
    "console": "argosy.console.main",
}
"""Role -> module with `run(settings) -> int`, in the order they start."""
GRACE = 10.0
"""Seconds that a process has to end after SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    told = parser.parse_args(arguments)
    logs.start("supervisor")
    os.umask(0o077)  # the control database and the logs are nobody else's to read
    return supervise(settings.load(told.state))


def supervise(deployment: Settings) -> int:
    processes.end(_left_over(deployment), GRACE)
    with preparing.under_way(deployment):
        for module in MODULES.values():
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, the pages that it shares
    return Keeper(deployment.run, [_child(deployment, role) for role in MODULES], GRACE).keep()


def _left_over(deployment: Settings) -> list[Process]:
    """Processes of a supervisor that was killed before us."""
    found = [processes.recorded(deployment.run, role) for role in MODULES]
    return [process for process in found if process]


def _child(deployment: Settings, role: str) -> Child:
    def body(former: Process | None) -> int:
        if role == "taskmanager" and former is not None:
            _reap(deployment, former)
        status: int = importlib.import_module(MODULES[role]).run(deployment)
        return status

    return Child(role, body, deployment.state / "logs" / f"{role}.log")


def _reap(deployment: Settings, former: Process) -> None:
    """Take the dead worker's operations from it at once. Should this fail, its lease runs out by and by."""
    from argosy.db.session import Database
    from argosy.durable import workers

    try:
        workers.reap(Database(deployment.database_url), former.pid, former.started)
    except Exception:
        log.exception("the operations of the former taskmanager wait for its lease", extra={"pid": former.pid})


if __name__ == "__main__":
    sys.exit(main())
