"""Running the programs of an engine: to ask a binary what it is, and to build a template."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from argosy import errors

ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""All that an engine's program sees: what the agent or an operator has in theirs is not its business."""
LAST_WORDS = 16_384
"""bytes that are kept of what a program says"""


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


def run(*argv: str | Path, stdin: str = "", cwd: Path | None = None, held: tuple[int, ...] = ()) -> str:
    """What the program prints. Raises GuestFailed with its last words. `held`: descriptors that it is to have, too."""
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            env=dict(ENVIRONMENT),
            cwd=cwd,
            check=False,
            pass_fds=held,
        )
    except OSError as error:
        raise errors.GuestFailed(f"{argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-500:]
        raise errors.GuestFailed(f"{os.path.basename(argv[0])} ended with {done.returncode}: {words}")  # noqa: PTH119 - argv is str or Path
    return done.stdout


def stream(*argv: str | Path, source: int | None = None, into: int | None = None, cwd: Path | None = None) -> str:
    """Have the program read from one descriptor, or write into one, until it ends. The end of what it had to say on
    its standard error; raises GuestFailed with it.
    """
    with tempfile.TemporaryFile(dir=cwd) as said:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL if source is None else source,
                stdout=said if into is None else into,
                stderr=said,
                env=dict(ENVIRONMENT),
                cwd=cwd,
                check=False,
            )
        except OSError as error:
            raise errors.GuestFailed(f"{argv[0]} cannot be run: {error.strerror}") from error
        said.seek(max(0, said.tell() - LAST_WORDS))
        words = said.read().decode(errors="replace").strip()
    if done.returncode != 0:
        raise errors.GuestFailed(f"{os.path.basename(argv[0])} ended with {done.returncode}: {words[-500:]}")  # noqa: PTH119 - argv is str or Path
    return words


@contextmanager
def alone(lock: Path) -> Iterator[int]:
    """A descriptor to be held by the programs run in this block, and so by all that they start: who comes after
    somebody that was killed in it ends what that one has left running.
    """
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _taken(file):
            for process in _holders(lock):
                os.kill(process, signal.SIGKILL)
            time.sleep(0.01)
        yield file
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holders(lock: Path) -> Iterator[int]:
    """Every process but ourselves that has the file open, as far as we may see."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            opened = any(each.readlink() == lock.resolve() for each in (process / "fd").iterdir())
            if opened and int(process.name) != os.getpid():
                yield int(process.name)
