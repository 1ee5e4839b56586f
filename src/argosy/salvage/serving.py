"""A restored server, run in the foreground for as long as somebody wants to look into it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from argosy import clock, errors
from argosy.engines.accounts import Accounts
from argosy.engines.base import Driver
from argosy.model.guest import Health, Secret
from argosy.salvage import restoring

PAUSE = 0.05
START_SECONDS = 600.0
PIPE_BUFFER = 65536
ENDING = (signal.SIGINT, signal.SIGTERM)
LINES = 20
COMPLAINT = re.compile(r"ERROR|FATAL|not permitted|[Cc]an(not|'t)|[Ff]ailed")


def serve(place: Path, password: Secret | None, ready: Callable[[], None]) -> int:
    """Until the server ends or is asked to by SIGINT or SIGTERM; `ready` is called when it answers. Its exit code.

    With a password the master user has that one. Raises NotFound, GuestFailed.
    """
    driver = restoring.told(place).driver(place)
    with _running(driver, place) as server:
        _await(driver, server, place)
        if password is not None and isinstance(driver, Accounts):
            driver.put_master(password)
        ready()
        return server.wait()


@contextmanager
def _running(driver: Driver, place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server gets our signals in its own words, and ends with the block."""
    service = driver.service()
    with (place / "server.log").open("ab") as log, _pipes(place / "state", log):
        server = subprocess.Popen(
            service.argv,
            env=dict(service.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
        asked = [signal.signal(each, lambda *_: server.send_signal(service.stop_signal)) for each in ENDING]
        try:
            yield server
        finally:
            for each, before in zip(ENDING, asked, strict=True):
                signal.signal(each, before)
            if server.poll() is None:
                server.send_signal(service.stop_signal)
            server.wait()


@contextmanager
def _pipes(state: Path, log: BinaryIO) -> Iterator[None]:
    """No server opens a pipe for its logs that nobody has open, and it waits for whoever does not read."""
    held = [os.open(pipe, os.O_RDWR | os.O_NONBLOCK) for pipe in sorted(state.glob("*.pipe"))]
    ending, end = os.pipe()
    copying = threading.Thread(target=_copy, args=(held, ending, log), daemon=True)
    copying.start()
    try:
        yield
    finally:
        os.close(end)
        copying.join()
        for each in (*held, ending):
            os.close(each)


def _copy(pipes: Sequence[int], ending: int, log: BinaryIO) -> None:
    while ending not in (readable := select.select([*pipes, ending], [], [])[0]):
        log.writelines(os.read(each, PIPE_BUFFER) for each in readable)
        log.flush()


def _await(driver: Driver, server: subprocess.Popen[bytes], place: Path) -> None:
    until = clock.monotonic() + START_SECONDS
    while (probe := driver.probe()).health is not Health.HEALTHY:
        if (code := server.poll()) is not None:
            log = place / "server.log"
            raise errors.GuestFailed(f"the server ended with exit code {code}: {_last_words(log)} (all in {log})")
        if clock.monotonic() > until:
            raise errors.GuestFailed(f"the server does not answer ({probe.message}): see {place / 'server.log'}")
        time.sleep(PAUSE)


def _last_words(log: Path) -> str:
    """What it said it ended of: its errors, or else whatever it said last."""
    said = [line.strip() for line in log.read_text(errors="replace").splitlines()[-LINES:] if line.strip()]
    complaints = [line for line in said if COMPLAINT.search(line)]
    return " / ".join((complaints or said)[-2:]) or "it said nothing"
