"""What the API tells, as people say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def pace(progress: dict[str, Any]) -> str:
    """How far, how fast and how long still: `42 %, 1.2 GB of 2.9 GB, 35 MB/s, 50 s left`."""
    if progress["unit"] != "bytes":
        return f"{progress['done']} of {progress['total'] or '?'} {progress['unit']}"
    percent = f"{progress['percent']:g} %, " if progress["percent"] is not None else ""
    total = f" of {size(progress['total'])}" if progress["total"] else ""
    rate = f", {size(progress['per_second'])}/s" if progress["per_second"] else ""
    left = f", {progress['seconds_left']} s left" if progress["seconds_left"] is not None else ""
    return f"{percent}{size(progress['done'])}{total}{rate}{left}"


def size(count: float) -> str:
    """Bytes."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def proof(told: dict[str, Any]) -> str:
    """Whether a backup restores: `restorable, checked 2026-11-21T09:12:04, took 3.1 s`."""
    checked = f", checked {told['checked']}" if told["checked"] else ""
    took = f", took {told['seconds']:.3g} s" if told["seconds"] else ""
    return f"{told['state']}{checked}{took}"


def report(told: dict[str, Any]) -> str:
    """What a drill looked at: `checked: 31, compared databases: 2, compared tables: 9`."""
    return ", ".join(f"{name}: {value}" for name, value in _flat(told))


def _flat(told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in sorted(told.items()):
        if isinstance(value, dict):
            yield from ((f"{name} {inner}", count) for inner, count in _flat(value))
        else:
            yield name, value
