"""The agent: `python -m argosy.agent GUESTDIR`. Dials the conductor, does what it asks, tells how the engine is."""

from __future__ import annotations

import functools
import logging
import random
import sys
import threading
import time
from pathlib import Path

from argosy import errors, logs
from argosy.agent import boot
from argosy.agent.collector import Collector, Kept
from argosy.agent.configuration import Configuration
from argosy.agent.door import Door, Link, Lost, Refused
from argosy.agent.guest import Guest
from argosy.agent.handlers import Hands
from argosy.agent.journal import Journal
from argosy.agent.keys import Keys
from argosy.agent.watch import Watch
from argosy.agent.work import LONG, Work
from argosy.engines.logfiles import GUEST
from argosy.model import release, wire

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0
"""seconds between two tries to reach a conductor; all guests of a deployment spread over it"""
UNUSABLE = 78
"""exit status: configuration error (sysexits.h)"""


def main(argv: list[str]) -> int:
    """Runs until it is killed; init starts it again."""
    logs.start("agent")
    directory = Path(argv[0])
    try:
        told = boot.boot(directory)
        keys = Keys(directory, told, [Door(url, told.authority) for url in told.conductors])
        guest = Guest(directory, told, keys)
    except errors.ArgosyError as error:
        log.critical("this guest cannot be used: %s", error.message)
        time.sleep(LONGEST_PAUSE)  # init starts us again at once: do not make it spin
        return UNUSABLE
    with logs.bound(guest=told.guest):
        Agent(guest).run()
    return 0


class Agent:
    def __init__(self, guest: Guest) -> None:
        self._keys = guest.keys
        self._release = release.agent()
        self._journal = Journal(guest.directory / "journal")
        if self._journal.damage:
            log.error(self._journal.damage)
        configuration = Configuration(guest)
        self._watch = Watch(guest, configuration, self.say, self._journal.damage)
        self._collector = Collector(guest)
        logging.getLogger().addHandler(Kept(self._collector.books[GUEST.name]))
        hands = Hands(guest, self._watch, configuration, self._collector)
        self._shipper = hands.shipper
        self._work = Work(self._journal, hands.verbs, self.say, self._watch.look, hands.long)
        self._link: Link | None = None
        self._failures = 0
        """since the last welcome"""

    def run(self) -> None:
        long_work = functools.partial(self._work.run, LONG)
        for each in (self._watch.run, self._work.run, long_work, self._collector.run, self._shipper.run):
            threading.Thread(target=each, daemon=True).start()
        while True:
            try:
                self._converse()
            except Lost as error:
                log.warning("%s", error.message)
            except errors.ArgosyError as error:
                log.error("%s", error.message)  # noqa: TRY400 - the cause is in it
            self._failures += 1
            self._keys.next_door()
            time.sleep(pause(self._failures))

    def say(self, frame: wire.Frame) -> None:
        """Say it if somebody listens: heartbeats come again, answers are repeated at every connection."""
        link = self._link
        try:
            if link is not None:
                link.send(frame)
        except Lost:
            return

    def _converse(self) -> None:
        """One connection, until it is lost."""
        link = self._open()
        try:
            link.send(wire.Hello(list(wire.PROTOCOLS), self._release, self._watch.boot))
            while True:
                self._hear(link, link.receive())
        finally:
            self._link = None
            link.close()

    def _open(self) -> Link:
        """A credential that is refused may be one that was never used: then the token is still good."""
        credential = self._keys.credential()
        try:
            return self._keys.door.open(credential)
        except Refused:
            return self._keys.door.open(self._keys.enrol())

    def _hear(self, link: Link, frame: wire.Frame | None) -> None:
        if isinstance(frame, wire.Welcome):
            self._welcome(link, frame)
        elif isinstance(frame, wire.Command):
            self._work.take(frame)
        elif isinstance(frame, wire.Cancel):
            self._work.cancel(frame.id)
        elif isinstance(frame, wire.Received):
            self._journal.received(frame.id)

    def _welcome(self, link: Link, welcome: wire.Welcome) -> None:
        """From now on we speak; first what the conductor may have missed."""
        log.info("connected", extra={"conductor": self._keys.door.url, "protocol": welcome.protocol})
        self._watch.interval = max(welcome.heartbeat_seconds, 0.1)
        self._link, self._failures = link, 0
        self._watch.again()
        for answer in self._journal.unreceived():
            link.send(answer)


def pause(failures: int) -> float:
    """Seconds before the next try: soon at first, and never all guests at once."""
    return random.uniform(0, min(LONGEST_PAUSE, 0.2 * 2 ** min(failures, 10)))  # noqa: S311 - spreads load, guards nothing


def entry() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m argosy.agent GUESTDIR\n")
        return 64
    return main(sys.argv[1:])
