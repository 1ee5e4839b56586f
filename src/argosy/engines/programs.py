"""Running the programs of an engine: to ask a binary what it is, and to build a template."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from argosy import errors

ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""All that an engine's program sees: what the agent or an operator has in theirs is not its business."""


def ask(program: Path, *arguments: str) -> str:
    """What the program prints, or "" when it cannot be run. Remembered until the file changes."""
    try:
        changed = program.stat().st_mtime_ns
    except OSError:
        return ""
    return _ask(program, arguments, changed)


@functools.cache
def _ask(program: Path, arguments: tuple[str, ...], _changed: int) -> str:
    try:
        answer = subprocess.run(
            [program, *arguments], capture_output=True, text=True, env=dict(ENVIRONMENT), timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def run(*argv: str | Path, stdin: str = "", cwd: Path | None = None) -> str:
    """What the program prints. Raises GuestFailed with its last words."""
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, env=dict(ENVIRONMENT), cwd=cwd, check=False
        )
    except OSError as error:
        raise errors.GuestFailed(f"{argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-500:]
        raise errors.GuestFailed(f"{os.path.basename(argv[0])} ended with {done.returncode}: {words}")  # noqa: PTH119 - argv is str or Path
    return done.stdout
