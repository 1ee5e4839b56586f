"""Python environments of their own, for servers and clients of others that tests run against."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

MARK = "installed"
"""Tells, in the environment, what is in it: there only once all of it is."""


def require(name: str, place: Path, packages: Sequence[str]) -> None:
    """`packages`, as pip's arguments, are installed below `place` when this returns, by one process of those that want
    it. Skips the test where they are not, unless REQUIRE_ENGINES has that name: then they are installed.
    """
    if _has(place, packages):
        return
    if name not in os.environ.get("REQUIRE_ENGINES", "").split(","):
        pytest.skip(f"no {name} in {place}: set REQUIRE_ENGINES={name} to have it installed")
    with _alone(place):
        if not _has(place, packages):
            _install(place, packages)


def _has(place: Path, packages: Sequence[str]) -> bool:
    mark = place / MARK
    return mark.exists() and mark.read_text() == _text(packages)


def _text(packages: Sequence[str]) -> str:
    return "\n".join(packages)


def _install(place: Path, packages: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    subprocess.run([place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    (place / MARK).write_text(_text(packages))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
