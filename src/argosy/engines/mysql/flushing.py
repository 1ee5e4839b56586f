"""Has a server write changed pages down ahead of a snapshot, so that the copy's server has few to recover.

A server leaves pages changed in memory for long: its log is enough after a crash. Whoever starts on a copy goes through
all of that log first: 44,000 pages took 1.2 s (measured), and a log may have several times as many.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from argosy import clock
from argosy.engines import files
from argosy.engines.mysql import wire

HURRIED = {"innodb_io_capacity_max": "40000", "innodb_io_capacity": "20000", "innodb_max_dirty_pages_pct": "0"}
"""in this order: none may be above the one before it"""
DIRTY = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'"
FEW = 4_000
"""pages: a client that goes on changing some leaves never none"""
SECONDS, LOOK = 20.0, 0.1


def flush(session: wire.Connection, note: Path) -> None:
    """As much as is done in `SECONDS`. What the server is set to otherwise stands in the note meanwhile, for the next
    one to set again should nobody be left to; its start does that too.
    """
    _restore(session, note)
    with _hurried(session, note):
        end = clock.monotonic() + SECONDS
        while _dirty(session) > FEW and clock.monotonic() < end:
            time.sleep(LOOK)


def _dirty(session: wire.Connection) -> int:
    [(_, pages)] = session.query(DIRTY)
    return int(pages or 0)


@contextmanager
def _hurried(session: wire.Connection, note: Path) -> Iterator[None]:
    files.write(note, json.dumps({name: _value(session, name) for name in HURRIED}))
    try:
        _set(session, HURRIED)
        yield
    finally:
        _restore(session, note)


def _restore(session: wire.Connection, note: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        had = json.loads(note.read_text(encoding="ascii"))
        _set(session, dict(reversed(had.items())))
        note.unlink()


def _value(session: wire.Connection, name: str) -> str:
    [(value,)] = session.query(f"SELECT @@GLOBAL.{name}")
    return value or ""


def _set(session: wire.Connection, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        session.query(f"SET GLOBAL {name} = {value}")
