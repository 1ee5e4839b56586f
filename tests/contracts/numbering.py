"""A writer of numbered rows in a server of the MySQL family."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from argosy.testing.clients import Tenant
from argosy.testing.mysql import master
from argosy.testing.servers import Server


@dataclass
class Numbers:
    """A writer of numbered rows, one transaction each, that notes what it was told of them."""

    tenant: Tenant
    acknowledged: dict[int, float] = field(default_factory=dict)
    """number -> by our clock, which is the server's"""
    gtids: dict[int, str] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def prepare(self) -> None:
        self.tenant.run("CREATE DATABASE IF NOT EXISTS numbers")
        self.tenant.run("CREATE TABLE IF NOT EXISTS numbers.n (n INT PRIMARY KEY, t DATETIME(6), f TEXT)")

    def write(self, number: int) -> None:
        self.tenant.run(f"INSERT INTO numbers.n VALUES ({number}, NOW(6), REPEAT('x', {number % 300}))")
        self.acknowledged[number] = time.time()
        [(self.gtids[number],)] = self.tenant.run("SELECT @@last_gtid")
        [(file, offset, *_)] = self.tenant.run("SHOW MASTER STATUS")
        self.places[number] = f"{file}:{offset}"

    def write_on(self) -> None:
        number = max(self.acknowledged, default=0)
        while not self.over.is_set():
            number += 1
            self.write(number)
            if number % 50 == 0:
                self.tenant.run("FLUSH BINARY LOGS")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        writer = threading.Thread(target=self.write_on)
        writer.start()
        try:
            yield
        finally:
            self.over.set()
            writer.join()


def numbers_in(server: Server) -> list[int]:
    tenant = master(server)
    rows = tenant.run("SELECT n FROM numbers.n ORDER BY n")
    tenant.close()
    return [number for (number,) in rows]
