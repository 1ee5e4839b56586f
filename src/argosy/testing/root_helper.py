"""A real root helper for tests, with some ordinary user of the machine in the role of `argosy`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.providers.local.helper.client import Helper
from argosy.testing.waiting import eventually

POOL = "[provider]\npool_gigabytes = 64\n"


@contextmanager
def short_directory() -> Iterator[Path]:
    """Short, for sockets in it, and passable for other users."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@contextmanager
def helper_process(state: Path, user: str) -> Iterator[subprocess.Popen[bytes]]:
    """It listens when the block begins, and has ended when the block has."""
    (state / "argosy.toml").write_text(POOL)
    argv = [sys.executable, "-m", "argosy.providers.local.helper", "--state", str(state), "--user", user]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _answers(state))
            yield process
        finally:
            process.terminate()


def _answers(state: Path) -> bool:
    try:
        return bool(Helper(state / "run" / "helper.sock").ask("ping"))
    except errors.CloudBusy:
        return False
