"""Facts about an instance -> the status its owner sees. Trove's words and precedence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from argosy.model.guest import Health


class Task(StrEnum):
    """What is being done to an instance. Written by admit, in the transaction that answers the client."""

    NONE = "NONE"
    BUILDING = "BUILDING"
    REBOOTING = "REBOOTING"
    RESIZING = "RESIZING"
    UPGRADING = "UPGRADING"
    RESTART_REQUIRED = "RESTART_REQUIRED"
    PROMOTING = "PROMOTING"
    EJECTING = "EJECTING"
    DETACHING = "DETACHING"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    ERROR = "ERROR"
    """an operation failed half way: what exists stays until the instance is deleted or rebuilt"""


@dataclass(frozen=True)
class Facts:
    task: str
    health: str = Health.UNKNOWN
    silent: bool = False
    """no heartbeat for longer than the deployment allows"""


STATUS = {
    Task.ERROR: "ERROR",
    Task.BUILDING: "BUILD",
    Task.REBOOTING: "REBOOT",
    Task.RESIZING: "RESIZE",
    Task.UPGRADING: "UPGRADE",
    Task.RESTART_REQUIRED: "RESTART_REQUIRED",
    Task.PROMOTING: "PROMOTE",
    Task.EJECTING: "EJECT",
    Task.DETACHING: "DETACH",
    Task.DELETING: "SHUTDOWN",
}

OPERATING = {
    Health.HEALTHY: "HEALTHY",
    Health.BLOCKED: "BLOCKED",
    Health.STOPPED: "SHUTDOWN",
    Health.DOWN: "SHUTDOWN",
    Health.FAILED: "FAILED",
    Health.STARTING: "RESTARTING",
    Health.NEW: "NEW",
    Health.UNKNOWN: "ERROR",
}


def status(facts: Facts) -> str:
    """`ACTIVE` unless something is being done or has failed."""
    return STATUS.get(Task(facts.task), "ACTIVE")


def operating_status(facts: Facts) -> str:
    """`HEALTHY` when all is well; empty while something is being done; `ERROR` when the guest is silent."""
    if Task(facts.task) is not Task.NONE:
        return ""
    return "ERROR" if facts.silent else OPERATING[Health(facts.health)]
