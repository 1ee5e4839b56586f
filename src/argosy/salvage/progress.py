"""How far a long operation is, for people who watch."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argosy import clock
from argosy.salvage.reading import Reader

SECOND = 1.0
MEGABYTE = 1_000_000


@contextmanager
def shown(reader: Reader, total: int) -> Iterator[None]:
    """On the terminal, each second."""
    over = threading.Event()
    showing = threading.Thread(target=_show, args=(reader, total, over), daemon=True)
    if sys.stderr.isatty():
        showing.start()
    try:
        yield
    finally:
        over.set()


def line(done: int, total: int, seconds: float) -> str:
    """Bytes, percent, rate, and the time that is left."""
    rate = done / seconds if seconds > 0 else 0.0
    left = f", {(total - done) / rate:.0f} s left" if rate and total > done else ""
    percent = min(100.0, 100 * done / total) if total else 100.0
    return f"{done / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB, {percent:.0f} %, {rate / MEGABYTE:.0f} MB/s{left}"


def _show(reader: Reader, total: int, over: threading.Event) -> None:
    begun = clock.monotonic()
    while not over.wait(SECOND):
        sys.stderr.write(f"\r\x1b[K{line(reader.bytes, total, clock.monotonic() - begun)}")
        sys.stderr.flush()
    sys.stderr.write("\r\x1b[K")
