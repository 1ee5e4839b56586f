"""A kernel that waits for its processors less patiently (Documentation/admin-guide/kernel-parameters, rcu_expedited).

Freezing a file system waits, while nobody can write to it, until every processor has passed by: several times, 45 ms
in all, and 2 ms in a hurry (measured, 2 processors). A hurry interrupts all of them, so it is for that moment only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KNOB = Path("/sys/kernel/rcu_expedited")
OURS = "1975"
"""What is not 0 counts as 1. This tells that it was us, should nobody be left to take it back."""


@contextmanager
def hurried() -> Iterator[None]:
    """On the whole machine while the block runs; no different where that is not allowed."""
    with suppress(OSError):
        if KNOB.read_text().strip() == "0":
            KNOB.write_text(OURS)
    try:
        yield
    finally:
        restore()


def restore() -> None:
    """Take back what is ours, were it of somebody who was killed. An operator's own setting stays."""
    with suppress(OSError):
        if KNOB.read_text().strip() == OURS:
            KNOB.write_text("0")
