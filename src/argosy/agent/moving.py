"""Has a child of its own process group move a backup (agent/archiver.py), and sees to it that nothing is left of it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from argosy import errors
from argosy.agent.task import Task

if TYPE_CHECKING:
    import subprocess

LOOK_SECONDS = 0.2
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144"}
"""Parts that are done with go back to the system at once (mallopt(3))."""
KINDS = {"rejected": errors.Rejected, "unavailable": errors.Unavailable}


def move(task: Task, job: Mapping[str, Any], scratch: Path, total: int) -> dict[str, Any]:
    """The child's answer. Raises what it could not do, and Cancelled once nobody wants it any more.

    It works in a directory of its own below `scratch`, which is empty again afterwards.
    """
    clear(scratch)
    place = scratch / secrets.token_hex(4)
    place.mkdir(mode=0o700, parents=True)
    try:
        with _child(place) as child:
            return _converse(task, child, job, total)
    finally:
        clear(scratch)


def clear(*places: Path) -> None:
    """End whoever still works there, and remove them."""
    there = [each for each in places if each.exists()]
    if there:
        for process in _working(there):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    for each in there:
        shutil.rmtree(each, ignore_errors=True)


@contextmanager
def _child(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Ends with the block, and with it all that it has started."""
    import subprocess

    as_we = [option for option, given in (("-S", sys.flags.no_site), ("-s", sys.flags.no_user_site)) if given]
    argv = (sys.executable, "-P", *as_we, "-m", "argosy.agent.archiver")
    environment = {**os.environ, **ENVIRONMENT}
    with subprocess.Popen(
        argv, cwd=place, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, process_group=0
    ) as child:
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _converse(task: Task, child: subprocess.Popen[bytes], job: Mapping[str, Any], total: int) -> dict[str, Any]:
    assert child.stdin is not None  # noqa: S101 - asked for
    assert child.stdout is not None  # noqa: S101 - asked for
    with contextlib.suppress(BrokenPipeError):  # its end is told below
        child.stdin.write(json.dumps(job).encode() + b"\n")
    for line in _lines(task, child.stdout):
        if "answer" in line:
            return dict(line["answer"])
        if "error" in line:
            raise KINDS.get(line["kind"], errors.GuestFailed)(line["error"])
        task.progress(line["progress"], total)
    if (code := child.wait()) < 0:  # by somebody's hand, or for want of memory: it says nothing of the backup
        raise errors.Unavailable(f"the process that moves the backup was killed by signal {-code}")
    raise errors.GuestFailed(f"the process that moves the backup ended with {code}: the agent's log says why")


def _lines(task: Task, told: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Raises Cancelled."""
    buffer = b""
    while True:
        task.check()
        if not select.select([told], [], [], LOOK_SECONDS)[0]:
            continue
        piece = told.read(65536)
        if not piece:
            return
        *whole, buffer = (buffer + piece).split(b"\n")
        yield from map(json.loads, whole)


def _working(places: list[Path]) -> Iterator[int]:
    """Every process but ourselves whose directory is below one of these, as far as we may see."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            where = (process / "cwd").readlink()
            if any(where.is_relative_to(place.resolve()) for place in places) and int(process.name) != os.getpid():
                yield int(process.name)
