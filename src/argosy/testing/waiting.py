"""Waiting in tests without sleeping longer than needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SLOWNESS = float(os.environ.get("ARGOSY_SLOWNESS", "1"))
"""Multiplies every limit: for machines slower than ours."""


def eventually(check: Callable[[], T], within: float = 30, every: float = 0.02) -> T:
    """What `check` returns once it is true; its last AssertionError after `within` seconds."""
    end = time.monotonic() + within * SLOWNESS
    while True:
        try:
            value = check()
            if value or time.monotonic() > end:
                assert value, f"still {value!r} after {within:g} s"
                return value
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(every)


def answered(ask: Callable[[], T]) -> T:
    """What `ask` returns; whatever it raises becomes an AssertionError, which `eventually` waits out."""
    try:
        return ask()
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
