"""The memory of a small process that sometimes needs a lot."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """What was freed goes back to the system: the C library keeps it for threads that may want it (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
