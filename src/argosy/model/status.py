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
    RESTORING = "RESTORING"
    """its data are made others, or what they were"""
    RESTART_REQUIRED = "RESTART_REQUIRED"
    PROMOTING = "PROMOTING"
    EJECTING = "EJECTING"
    DETACHING = "DETACHING"
    UPDATING = "UPDATING"
    STOPPING = "STOPPING"
    DELETING = "DELETING"
    ERROR = "ERROR"
    """an operation failed half way: what exists stays until the instance is deleted or rebuilt"""


@dataclass(frozen=True)
class Facts:
    task: str
    health: str = Health.UNKNOWN
    silent: bool = False
    """no heartbeat for longer than the deployment allows"""
    words: str = ""
    """what the agent says besides"""
    full: bool = False
    """nothing more can be written to the volume"""
    stopped: bool = False
    """its owner wants it so"""
    backing_up: bool = False
    """a backup of it is being made"""


STATUS = {
    Task.ERROR: "ERROR",
    Task.BUILDING: "BUILD",
    Task.REBOOTING: "REBOOT",
    Task.RESIZING: "RESIZE",
    Task.UPGRADING: "UPGRADE",
    Task.RESTORING: "BUILD",
    Task.RESTART_REQUIRED: "RESTART_REQUIRED",
    Task.PROMOTING: "PROMOTE",
    Task.EJECTING: "EJECT",
    Task.DETACHING: "DETACH",
    Task.STOPPING: "SHUTDOWN",
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


SILENT = "the guest has not reported for a while: see whether `argosy status` shows the conductor healthy"
FULL = "the volume is full: delete something in it, or make it larger"
OUTSPOKEN = frozenset({Health.HEALTHY, Health.BLOCKED, Health.DOWN, Health.FAILED, Health.UNKNOWN})
"""Whose words are worth reading: a healthy one tells what was taken back; one that starts or was stopped has nothing to
complain of.
"""


def status(facts: Facts) -> str:
    """`ACTIVE` unless something is being done, has failed, or the owner wants it stopped."""
    if facts.backing_up:
        return STATUS.get(Task(facts.task), "BACKUP")
    return STATUS.get(Task(facts.task), "SHUTDOWN" if facts.stopped else "ACTIVE")


def operating_status(facts: Facts) -> str:
    """`HEALTHY` when all is well; empty while something is being done; `ERROR` when the guest is silent."""
    if Task(facts.task) is not Task.NONE:
        return ""
    if facts.stopped:
        return OPERATING[Health.STOPPED]
    return "ERROR" if facts.silent else OPERATING[Health(facts.health)]


def complaint(facts: Facts) -> str:
    """What is wrong with an instance to which nothing is being done: its cause and, where we know one, its cure."""
    if Task(facts.task) is not Task.NONE or facts.stopped:
        return ""
    if facts.silent:
        return SILENT
    words = facts.words if Health(facts.health) in OUTSPOKEN else ""
    return "; ".join(filter(None, (words, FULL if facts.full else "")))
