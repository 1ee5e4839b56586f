"""A client that writes all the while, whatever is done to its database."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from argosy.testing.connections import Door
from argosy.testing.waiting import answered, eventually

MAKE = {
    "postgresql": "CREATE TABLE written (it int)",
    "mariadb": "CREATE DATABASE w",
    "redis": "PING",
}
ALSO = {"mariadb": "CREATE TABLE w.written (it int)"}
WRITE = {
    "postgresql": "INSERT INTO written VALUES ({it})",
    "mariadb": "INSERT INTO w.written VALUES ({it})",
    "redis": "SET written{it} {it}",
}
COUNT = {
    "postgresql": "SELECT count(DISTINCT it) FROM written WHERE it IN ({every})",
    "mariadb": "SELECT count(DISTINCT it) FROM w.written WHERE it IN ({every})",
    "redis": "EXISTS {every}",
}


class Writer:
    """A client that writes number after number, and notes those that it was told are written."""

    def __init__(self, door: Door, engine: str) -> None:
        self.door, self.engine = door, engine
        self.acknowledged: list[int] = []
        door.ask(MAKE[engine])
        if engine in ALSO:
            door.ask(ALSO[engine])

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
        for number in itertools.count():
            if end.wait(0.005):
                return
            with suppress(Exception):  # the server is away: what it did not acknowledge it need not keep
                self.door.ask(WRITE[self.engine].format(it=number))
                self.acknowledged.append(number)

    def check(self) -> None:
        """All of them are there, once the server answers: who was killed last may not have been missed yet."""
        prefix, glue = ("written", " ") if self.engine == "redis" else ("", ",")
        every = glue.join(f"{prefix}{number}" for number in self.acknowledged)
        assert self.acknowledged
        question = COUNT[self.engine].format(every=every)
        told = eventually(lambda: answered(lambda: self.door.ask(question)), within=60)
        assert int(told) == len(self.acknowledged)
