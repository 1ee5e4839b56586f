"""Somebody who writes numbered rows all the while, and goes back to moments of them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from owners import Owner

from argosy.client.resources import Document
from argosy.testing.connections import Door
from argosy.testing.waiting import eventually

MAKE = {
    "postgresql": ("CREATE TABLE IF NOT EXISTS numbered (it int)",),
    "mariadb": ("CREATE DATABASE IF NOT EXISTS n", "CREATE TABLE IF NOT EXISTS n.numbered (it INT)"),
    "redis": ("PING",),
}
WRITE = {
    "postgresql": "INSERT INTO numbered VALUES ({it})",
    "mariadb": "INSERT INTO n.numbered VALUES ({it})",
    "redis": "RPUSH numbered {it}",
}
READ = {
    "postgresql": "SELECT coalesce(string_agg(it::text, ' ' ORDER BY it), '') FROM numbered",
    "mariadb": "SELECT COALESCE(GROUP_CONCAT(it ORDER BY it SEPARATOR ' '), '') FROM n.numbered",
    "redis": "LLEN numbered",
}
PAUSE = 0.02


@dataclass
class Recoverer:
    owner: Owner
    engine: str
    instance: Document
    database: str = ""
    written: list[float] = field(default_factory=list)
    """when each number was acknowledged"""

    def enable(self, **more: Any) -> None:
        """And wait until there is something to go back to."""
        self.put(enabled=True, **more)
        eventually(lambda: self.seen()["latest"], within=120)

    def put(self, **recovery: Any) -> Document:
        path = f"/instances/{self.instance['id']}/recovery"
        changed: Document = self.owner.client.session.put(path, {"recovery": recovery})["recovery"]
        return changed

    def seen(self) -> Document:
        found: Document = self.owner.client.session.get(f"/instances/{self.instance['id']}/recovery")["recovery"]
        return found

    def door(self, instance: Document) -> Door:
        return self.owner.door(instance, database=self.database)

    def prepare(self) -> None:
        for each in MAKE[self.engine]:
            self.door(self.instance).ask(each)

    @contextmanager
    def writing(self) -> Iterator[None]:
        end = threading.Event()
        thread = threading.Thread(target=self._run, args=(end,))
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def _run(self, end: threading.Event) -> None:
        door = self.door(self.instance)
        for number in itertools.count(len(self.written)):
            if end.wait(PAUSE):
                return
            with suppress(Exception):
                door.ask(WRITE[self.engine].format(it=number))
                self.written.append(time.time())
                continue
            return  # the server is gone

    def arrived(self, moment: float) -> None:
        """Wait until that moment can be gone back to."""
        eventually(lambda: (self.seen()["latest"] or "") > stamp(moment), within=60)

    def at(self, moment: float, **more: Any) -> Document:
        return self.restored({"at": stamp(moment)}, **more)

    def restored(self, point: Document, name: str = "r", **more: Any) -> Document:
        restore = {"instance": self.instance["id"], **point}
        return self.owner.ready(self.engine, name, restore=restore, **more)

    def numbers(self, instance: Document) -> int:
        """How many there are; they must be the first so many."""
        told = self.door(instance).ask(READ[self.engine])
        if self.engine == "redis":
            return int(told)
        found = [int(each) for each in told.split()]
        assert found == list(range(len(found)))
        return len(found)


def stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
