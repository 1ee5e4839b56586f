"""How the engine is: what its process does, as init sees it, and what it answers, as its driver sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from argosy.agent.service import Status
from argosy.model.guest import Health, Probe

VAIN_STARTS = 3
"""starts in a row after which a server that never answered counts as failed"""
SETTLED_SECONDS = 10.0
"""A process that has run for so long is not one of those that die at once."""


@dataclass(frozen=True)
class Sight:
    """One look at everything."""

    status: Status | None
    """None: init does not answer"""
    probe: Probe | None
    """None: there was no process to ask"""
    made: bool = False
    """a service was asked for once: without one the guest is new"""
    vain: int = 0
    """starts since the server last answered"""
    ran: float = 0.0
    """seconds since its process began"""


def judge(sight: Sight) -> Probe:
    """DOWN, STOPPED, FAILED and NEW by what init says, everything else by what the driver heard."""
    status, probe = sight.status, sight.probe
    if status is None:
        return _unseen(probe)
    if not status.running:
        return _not_running(status, sight)
    if probe is None:
        return Probe(Health.UNKNOWN)
    restless = probe.health is not Health.HEALTHY and sight.ran < SETTLED_SECONDS
    return _failed(status) if restless and sight.vain > VAIN_STARTS else probe


def _unseen(probe: Probe | None) -> Probe:
    """Without init only a server that answers is known of."""
    if probe is not None and probe.health in (Health.HEALTHY, Health.BLOCKED):
        return replace(probe, message="the guest's init does not answer")
    return Probe(Health.UNKNOWN, "the guest's init does not answer")


def _not_running(status: Status, sight: Sight) -> Probe:
    if not status.wanted:
        return Probe(Health.STOPPED if sight.made else Health.NEW)
    if sight.vain >= VAIN_STARTS:
        return _failed(status)
    return Probe(Health.DOWN, _end(status))


def _failed(status: Status) -> Probe:
    return Probe(Health.FAILED, f"{_end(status)}: {status.tail}" if status.tail else _end(status))


def _end(status: Status) -> str:
    if status.exit is None:
        return "the server process is not running"
    if status.exit < 0:
        return f"the server process was ended by signal {-status.exit}"
    return f"the server process ended with exit status {status.exit}"
