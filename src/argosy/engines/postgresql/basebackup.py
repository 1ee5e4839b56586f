"""Takes a base backup with pg_basebackup, and learns what the next one has to know."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import programs
from argosy.engines.postgresql import tape

LABEL = "backup_label"
MANIFEST = "backup_manifest"
WORDS = 500
"""letters of what pg_basebackup says that are told"""

PIPE_BYTES = 1 << 20

BEGUN = re.compile(r"write-ahead log start point: (\S+) on timeline")
ENDED = re.compile(r"write-ahead log end point: (\S+)")
"""What every release says by `--verbose` in the locale C."""


@dataclass(frozen=True)
class Seen:
    """What a base backup says of itself."""

    start: str
    stop: str
    files: tuple[str, ...]
    """empty where nobody asked"""


def take(program: Path, door: Mapping[str, str], scratch: Path, out: int) -> Seen:
    """Have one written as tar into `out`. Raises GuestFailed with the program's words.

    `door`: how to reach the server.
    """
    return _seen(programs.stream(*_argv(program, door), into=out, cwd=scratch), ())


def take_named(program: Path, door: Mapping[str, str], scratch: Path, parent: str, out: int) -> Seen:
    """The same, with the names of all files, read from the stream that passes: changes since this one can be told.
    `parent`: the manifest of the backup that only the changes since are wanted of, if any.
    """
    argv = _argv(program, door)
    if parent:
        told = scratch / "parent_manifest"
        told.write_text(parent)
        argv.append(f"--incremental={told}")
    with _running(argv, scratch) as (source, said):
        manifest = _pass_on(source, out)
    names = tuple(each["Path"] for each in manifest["Files"] if "Path" in each)
    return _seen(said.read_text(errors="replace"), names)


def _argv(program: Path, door: Mapping[str, str]) -> list[str | Path]:
    told = [f"--{name}={value}" for name, value in door.items()]
    form = ["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--no-password", "--verbose"]
    return [program, *told, *form]


@contextmanager
def _running(argv: list[str | Path], scratch: Path) -> Iterator[tuple[int, Path]]:
    """What it writes, and what it says. Nothing runs when the block is left, however it is left."""
    said = scratch / "pg_basebackup.log"
    with (
        said.open("wb") as words,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, env=dict(programs.ENVIRONMENT),
            pipesize=PIPE_BYTES,
        ) as process,
    ):  # fmt: skip
        try:
            yield _descriptor(process), said
        except errors.Broken as error:
            process.wait()
            raise errors.GuestFailed(f"pg_basebackup: {said.read_text(errors='replace').strip()[-WORDS:]}") from error
        finally:
            process.kill()
        if process.wait():
            raise errors.GuestFailed(f"pg_basebackup: {said.read_text(errors='replace').strip()[-WORDS:]}")


def _descriptor(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    return process.stdout.fileno()


def _pass_on(source: int, out: int) -> Mapping[str, Any]:
    """The manifest, the last of what passes."""
    manifest = b"{}"
    reader = tape.Tape(source)
    for entry in reader:
        tape.write(out, entry.head)
        if entry.name == MANIFEST:
            manifest = reader.read(entry.size)
            tape.write(out, manifest)
        else:
            reader.move(out)
        tape.write(out, entry.padding)
    tape.write(out, tape.END)
    told: Mapping[str, Any] = json.loads(manifest)
    return told


def _seen(said: str, files: tuple[str, ...]) -> Seen:
    begun, ended = BEGUN.search(said), ENDED.search(said)
    if begun is None or ended is None:
        raise errors.GuestFailed(f"pg_basebackup does not say where its backup begins and ends: {said[-WORDS:]}")
    return Seen(begun[1], ended[1], files)
