"""Takes a base backup with pg_basebackup, and reads from the stream that passes what the next one has to know."""

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

STARTED = re.compile(rb"START WAL LOCATION: (\S+) ", re.MULTILINE)
TIMELINE = re.compile(rb"START TIMELINE: (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """What a base backup says of itself."""

    start: str
    stop: str
    timeline: int
    files: tuple[str, ...]


def take(program: Path, door: Mapping[str, str], scratch: Path, parent: str, out: int) -> Seen:
    """Write one as tar into `out`. `door`: how to reach the server. `parent`: the manifest of the backup that only
    the changes since are wanted of. Raises GuestFailed with the program's words.
    """
    argv: list[str | Path] = [program, *(f"--{name}={value}" for name, value in door.items())]
    argv += ["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--no-password"]
    if parent:
        told = scratch / "parent_manifest"
        told.write_text(parent)
        argv.append(f"--incremental={told}")
    with _running(argv, scratch) as source:
        return _pass_on(source, out)


@contextmanager
def _running(argv: list[str | Path], scratch: Path) -> Iterator[int]:
    """What it writes. Nothing runs when the block is left, however it is left."""
    said = scratch / "pg_basebackup.log"
    with (
        said.open("wb") as words,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, env=dict(programs.ENVIRONMENT),
            pipesize=PIPE_BYTES,
        ) as process,
    ):  # fmt: skip
        try:
            yield _descriptor(process)
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


def _pass_on(source: int, out: int) -> Seen:
    kept: dict[str, bytes] = {}
    reader = tape.Tape(source)
    for entry in reader:
        tape.write(out, entry.head)
        if entry.name in {LABEL, MANIFEST}:
            kept[entry.name] = reader.read(entry.size)
            tape.write(out, kept[entry.name])
        else:
            reader.move(out)
        tape.write(out, entry.padding)
    tape.write(out, tape.END)
    return _seen(kept[LABEL], json.loads(kept[MANIFEST]))


def _seen(label: bytes, manifest: Mapping[str, Any]) -> Seen:
    started, timeline = STARTED.search(label), TIMELINE.search(label)
    if started is None or timeline is None:
        raise errors.GuestFailed("the base backup does not say where it begins")
    last = manifest["WAL-Ranges"][-1]
    return Seen(
        started[1].decode(),
        last["End-LSN"],
        int(last["Timeline"]),
        tuple(each["Path"] for each in manifest["Files"] if "Path" in each),
    )
