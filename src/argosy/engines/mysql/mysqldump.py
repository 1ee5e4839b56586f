"""The strategy `mysqldump`: all databases as statements, and the accounts."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import programs
from argosy.engines.mysql import bootstrap, secluded, tools
from argosy.model.guest import Site

OF_THE_SYSTEM = ("mysql", "sys")
FAITHFUL = ("--dump-history", "--hex-blob", "--quick", "--single-transaction", f"--max-allowed-packet={1 << 30}")
DEFINITIONS = ("--triggers", "--routines", "--events")
HEAD_BYTES = 64 << 10
COPY_BYTES = 1 << 20
WHERE = re.compile(
    rb"MASTER_LOG_FILE='(?P<file>[^']+)', MASTER_LOG_POS=(?P<offset>\d+);(?:.*?gtid_slave_pos='(?P<gtid>[^']*)')?",
    re.DOTALL,
)


def dump(site: Site, login: str, scratch: Path, out: int, *, logs: bool) -> Mapping[str, Any]:
    """Write the statements into `out`. Where they stand in the binary log, if it is on.

    Tables whose engine knows no transactions are as they were when each was read.
    """
    with_position = ["--master-data=2"] if logs else []
    without = [f"--ignore-database={each}" for each in OF_THE_SYSTEM]
    dump = (tools.find(site.root, tools.DUMP), login, *FAITHFUL)
    head = _Head(out)
    try:
        programs.stream(
            *dump, "--all-databases", *without, *DEFINITIONS, *with_position, into=head.entrance, cwd=scratch
        )
    finally:
        head.close()
    programs.stream(*dump, "--insert-ignore", "--system=users,servers", into=out, cwd=scratch)
    return head.position()


def load(site: Site, source: int, scratch: Path) -> None:
    """Make a data directory and run the statements in a server of its own."""
    data = site.data / "db"
    data.mkdir(mode=0o700)
    bootstrap.build(site.root, data)
    with (
        secluded.server(site, scratch, secluded.unconfigured(site)) as here,
        tools.login(scratch, here.socket, here.password) as login,
    ):
        programs.stream(*secluded.client(site, login), source=source, cwd=scratch)
    programs.run("sync", "--file-system", data)


class _Head:
    """Lets a stream through, and remembers how it began."""

    def __init__(self, out: int) -> None:
        self._exit, self.entrance = os.pipe()
        self._out = out
        self._kept = b""
        self._lost: OSError | None = None
        self._thread = threading.Thread(target=self._copy)
        self._thread.start()

    def close(self) -> None:
        """Everything is through when this returns, or nobody wants it."""
        os.close(self.entrance)
        self._thread.join()
        if self._lost:
            raise errors.GuestFailed(f"what {tools.DUMP} writes cannot be passed on: {self._lost}")

    def position(self) -> Mapping[str, Any]:
        found = WHERE.search(self._kept)
        if found is None:
            return {}
        told = {name: (value or b"").decode() for name, value in found.groupdict().items()}
        return {**told, "offset": int(told["offset"])}

    def _copy(self) -> None:
        """Closes its end whatever happens: who writes is to notice that nobody reads any more."""
        try:
            while data := os.read(self._exit, COPY_BYTES):
                self._kept += data[: HEAD_BYTES - len(self._kept)]
                _write(self._out, memoryview(data))
        except OSError as error:
            self._lost = error
        finally:
            os.close(self._exit)


def _write(out: int, data: memoryview) -> None:
    while data:
        data = data[os.write(out, data) :]
