"""Looks at the engine every second and tells the conductor: regularly, and at once when its health changes."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from argosy import clock, errors
from argosy.agent import boot, usage
from argosy.agent.configuration import Configuration
from argosy.agent.guest import Guest
from argosy.agent.health import Sight, judge
from argosy.agent.room import Room
from argosy.agent.service import InitSilent, Status
from argosy.engines.base import Driver
from argosy.model import wire
from argosy.model.guest import Health, Probe, Site

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SERVICE = "service.json"
"""what init writes down once a service was asked for"""


class Watch:
    def __init__(
        self, guest: Guest, configuration: Configuration, say: Callable[[wire.Frame], None], notice: str = ""
    ) -> None:
        self.boot = secrets.token_hex(8)
        self.interval = guest.boot.heartbeat_seconds
        """seconds between heartbeats; the conductor sets it"""
        self._guest = guest
        self._configuration = configuration
        self._say = say
        self._notice = notice
        """something about the agent itself that its operator should know"""
        self.beside: Callable[[], Mapping[str, float]] = dict
        """what else is told with a heartbeat"""
        self._room = Room(guest.engine.start_bytes)
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._seq = 0
        self._told: tuple[Health, str] | None = None
        self._told_at = 0.0
        self._starts = 0
        self._answered_starts = 0
        self._site: Site | None = None
        self._driver: Driver | None = None

    def run(self) -> None:
        while True:
            try:
                self.look()
                self._configuration.resume()
            except Exception:
                log.exception("the engine could not be looked at")
            self._due.wait(LOOK_SECONDS)
            self._due.clear()

    def again(self) -> None:
        """Tell the conductor soon, changed or not: it may not know anything of us."""
        self._told = None
        self._due.set()

    def forgive(self) -> None:
        """Somebody asks for a start: those that failed before, whatever was the cause, say nothing of the next."""
        with self._lock:
            status = self._status()
            self._answered_starts = status.starts if status else 0

    def look(self) -> Probe:
        """How the engine is now; told when that is news or the interval is over."""
        with self._lock:
            seen = self._see()
            overdue = clock.monotonic() - self._told_at >= self.interval
            said = "; ".join(filter(None, (seen.message, self._configuration.notice(), self._notice)))
            if overdue or (seen.health, said) != self._told:
                self._tell(seen, said)
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
            self._configuration.prove(status)
        self._make_room(status, asked)
        seen = judge(self._sight(status, asked))
        return self._with_proven_settings(status, seen) if seen.health is Health.FAILED else seen

    def _sight(self, status: Status, asked: Probe | None) -> Sight:
        return Sight(
            status,
            asked,
            made=(self._guest.directory / SERVICE).exists(),
            vain=max(status.starts - self._answered_starts, status.failures),
            ran=clock.boot() - status.since,
        )

    def _with_proven_settings(self, status: Status, seen: Probe) -> Probe:
        """A server that cannot be started is tried once more where its settings were never tried before."""
        if not self._configuration.take_back(status.tail or seen.message):
            return seen
        self._answered_starts = status.starts
        self._guest.service.hurry()
        return Probe(Health.STARTING)

    def _make_room(self, status: Status, asked: Probe | None) -> None:
        """On the volume, for the next start. Once there is some, a server that died for want of it starts at once."""
        if self._site is None:
            return
        with suppress(OSError, InitSilent, errors.GuestFailed):
            if asked is not None and asked.health is Health.HEALTHY:
                self._room.keep(self._site)
            elif status.wanted and status.failures > 1 and self._room.found(self._site):
                self._guest.service.hurry()

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

    def _tell(self, seen: Probe, said: str) -> None:
        used, total = volume(self._site)
        self._seq += 1
        self._told, self._told_at = (seen.health, said), clock.monotonic()
        metrics = {**seen.metrics, **self.beside(), "engine_starts": float(self._starts), **usage.below(os.getppid())}
        metrics["memory_limit_bytes"] = float(self._site.memory) if self._site else 0.0
        self._say(wire.Heartbeat(self.boot, self._seq, seen.health, said, seen.version, used, total, metrics))


def volume(site: Site | None) -> tuple[int, int]:
    """Bytes used and in all; zeros while the volume cannot be seen."""
    try:
        seen = os.statvfs(site.data) if site else None
    except OSError:
        seen = None
    return ((seen.f_blocks - seen.f_bfree) * seen.f_frsize, seen.f_blocks * seen.f_frsize) if seen else (0, 0)
