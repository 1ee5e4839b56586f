"""Makes a data directory of a chain of backups."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import copies, programs
from argosy.engines.backups import SNAPSHOT, Layer
from argosy.engines.postgresql import basebackup, blocks, tape

BLOCKS, LOG = "blocks", "log"
"""What an increment is made of."""

MADE_ANEW = (
    "pg_replslot/*", "pg_wal/summaries/*", "pg_wal/archive_status/*", "pg_stat_tmp/*", "pg_dynshmem/*", "pg_notify/*",
    "pg_serial/*", "pg_snapshots/*", "pg_subtrans/*", "base/pgsql_tmp*", "base/*/pgsql_tmp*", "postmaster.pid",
    "postmaster.opts", "pg_internal.init", "recovery.signal", "standby.signal",
)  # fmt: skip
"""What a server makes anew, or must not find: what it was in the middle of, and slots of those who read its log."""


def load(layers: Sequence[Layer], data: Path, release: str) -> None:
    """The chain becomes `data / "db"`, durably."""
    cluster = data / copies.DIRECTORY
    for layer in layers:
        _refuse_other(layer, release)
    for layer in layers:
        with layer.open() as source:
            if layer.strategy == SNAPSHOT:
                copies.load(data, source)
            else:
                _unpack(cluster, source, layer.position)
    _tidy(cluster)
    programs.run("sync", "--file-system", data)


def _refuse_other(layer: Layer, release: str) -> None:
    made = layer.position.get("version", 0) // 10000
    if made and str(made) != release:
        raise errors.Rejected(
            f"the backup is of PostgreSQL {made}, and this is {release}: restore it into an instance of version {made},"
            " and upgrade that one"
        )


def _tidy(cluster: Path) -> None:
    for pattern in MADE_ANEW:
        for each in cluster.glob(pattern):
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    (cluster / basebackup.MANIFEST).unlink(missing_ok=True)


def _unpack(cluster: Path, source: int, position: Mapping[str, Any]) -> None:
    cluster.mkdir(mode=0o700, exist_ok=True)
    there = set()
    reader = tape.Tape(source)
    for entry in reader:
        if entry.kind not in {tape.FOLDER, tape.FILE}:
            raise errors.Rejected(f"the backup has {entry.name}, which is not a file: tablespaces are not taken back")
        changed = blocks.target(entry.name)
        target = cluster / (changed or entry.name)
        there.add(target)
        if entry.kind == tape.FOLDER:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif changed:
            blocks.change(reader, target)
        else:
            _place(reader, target)
    if position.get("kind") == LOG:
        _fill(there, position["segment"])
    elif position.get("kind") == BLOCKS:
        _as_one(cluster, there)


def _fill(segments: Iterable[Path], size: int) -> None:
    """As long as a server wants them: behind what was written there is nothing."""
    for each in segments:
        os.truncate(each, size)


def _as_one(cluster: Path, there: Collection[Path]) -> None:
    """What the newest increment does not have was gone by then; and a server starts from what is no increment."""
    for each in sorted(cluster.rglob("*"), reverse=True):
        if each not in there:
            each.rmdir() if each.is_dir() else each.unlink()
    label = cluster / basebackup.LABEL
    lines = label.read_text().splitlines(keepends=True)
    label.write_text("".join(each for each in lines if not each.startswith("INCREMENTAL FROM ")))


def _place(reader: tape.Tape, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        reader.move(file)
    finally:
        os.close(file)
