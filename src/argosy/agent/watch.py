"""Looks at the engine every second and tells the conductor: regularly, and at once when its health changes."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable

from argosy import clock, errors
from argosy.agent import boot
from argosy.agent.guest import Guest
from argosy.agent.health import Sight, judge
from argosy.agent.service import InitSilent, Status
from argosy.engines.base import Driver
from argosy.model import wire
from argosy.model.guest import Health, Probe, Site

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SERVICE = "service.json"
"""what init writes down once a service was asked for"""


class Watch:
    def __init__(self, guest: Guest, say: Callable[[wire.Frame], None], notice: str = "") -> None:
        self.boot = secrets.token_hex(8)
        self.interval = guest.boot.heartbeat_seconds
        """seconds between heartbeats; the conductor sets it"""
        self._guest = guest
        self._say = say
        self._notice = notice
        """something about the agent itself that its operator should know"""
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._seq = 0
        self._told: Probe | None = None
        self._told_at = 0.0
        self._starts = 0
        self._answered_starts = 0
        self._site: Site | None = None
        self._driver: Driver | None = None

    def run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                log.exception("the engine could not be looked at")
            self._due.wait(LOOK_SECONDS)
            self._due.clear()

    def again(self) -> None:
        """Tell the conductor soon, changed or not: it may not know anything of us."""
        self._told = None
        self._due.set()

    def look(self) -> Probe:
        """How the engine is now; told when that is news or the interval is over."""
        with self._lock:
            seen = self._see()
            overdue = clock.monotonic() - self._told_at >= self.interval
            if overdue or self._told is None or (seen.health, seen.message) != (self._told.health, self._told.message):
                self._tell(seen)
            return seen

    def _see(self) -> Probe:
        status, driver = self._status(), self._current()
        asked = driver.probe() if status is None or status.running else None
        if status is None:
            return judge(Sight(None, asked))
        self._starts = status.starts
        if status.starts < self._answered_starts:
            self._answered_starts = 0  # a new init counts from one again
        if asked is not None and asked.health is Health.HEALTHY:
            self._answered_starts = status.starts
        return judge(
            Sight(
                status,
                asked,
                made=(self._guest.directory / SERVICE).exists(),
                vain=max(status.starts - self._answered_starts, status.failures),
                ran=clock.boot() - status.since,
            )
        )

    def _status(self) -> Status | None:
        try:
            return self._guest.service.status()
        except (InitSilent, errors.GuestFailed):
            return None

    def _current(self) -> Driver:
        """The driver for the site as it is: a resized guest has another."""
        site = boot.site(self._guest.directory)
        if self._driver is None or site != self._site:
            self._site, self._driver = site, self._guest.driver()
        return self._driver

    def _tell(self, seen: Probe) -> None:
        used, total = volume(self._site)
        self._seq += 1
        self._told, self._told_at = seen, clock.monotonic()
        metrics = {**seen.metrics, "engine_starts": float(self._starts)}
        message = "; ".join(filter(None, (seen.message, self._notice)))
        self._say(wire.Heartbeat(self.boot, self._seq, seen.health, message, seen.version, used, total, metrics))


def volume(site: Site | None) -> tuple[int, int]:
    """Bytes used and in all; zeros while the volume cannot be seen."""
    try:
        seen = os.statvfs(site.data) if site else None
    except OSError:
        seen = None
    return ((seen.f_blocks - seen.f_bfree) * seen.f_frsize, seen.f_blocks * seen.f_frsize) if seen else (0, 0)
