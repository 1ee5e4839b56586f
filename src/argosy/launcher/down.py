"""Stop a deployment's processes. Its databases go on running."""

from __future__ import annotations

from argosy.launcher import processes, statedir, unit, up
from argosy.launcher.processes import Process
from argosy.settings import Settings

GRACE = 20.0
"""Seconds that the top process has to end everything below it and itself."""


def down(deployment: Settings) -> bool:
    """False when nothing ran."""
    process = up.running(deployment)
    left = [process] if process else _orphans(deployment)
    if unit.wanted(deployment):
        unit.stop(deployment)  # or systemd would start it again
    with statedir.locked(deployment.state):
        processes.end(left, GRACE)
    return bool(left)


def _orphans(deployment: Settings) -> list[Process]:
    """What runs although the process above it was killed."""
    found = [processes.recorded(deployment.run, role) for role in processes.ROLES]
    return [process for process in found if process]
