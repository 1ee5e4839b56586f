"""Makes a data directory of a chain of backups."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from argosy import errors
from argosy.engines import copies
from argosy.engines.backups import SNAPSHOT, Layer
from argosy.engines.postgresql import basebackup, lineage, tape

MADE_ANEW = (
    "pg_replslot/*", "pg_wal/summaries/*", "pg_wal/archive_status/*", "pg_stat_tmp/*", "pg_dynshmem/*", "pg_notify/*",
    "pg_serial/*", "pg_snapshots/*", "pg_subtrans/*", "base/pgsql_tmp*", "base/*/pgsql_tmp*", "postmaster.pid",
    "postmaster.opts", "pg_internal.init", "recovery.signal", "standby.signal",
)  # fmt: skip
"""What a server makes anew, or must not find: what it was in the middle of, and slots of those who read its log."""


def load(layers: Sequence[Layer], data: Path) -> None:
    """The chain becomes `data / "db"`. Without any layer the files are there already, as a volume's copy has them."""
    cluster = data / copies.DIRECTORY
    for layer in layers:
        with layer.open() as source:
            if layer.strategy == SNAPSHOT:
                copies.load(data, source)
            else:
                _unpack(cluster, source)
    tidy(cluster)
    lineage.begin(cluster)


def tidy(cluster: Path) -> None:
    for pattern in MADE_ANEW:
        for each in cluster.glob(pattern):
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    (cluster / basebackup.MANIFEST).unlink(missing_ok=True)


def _unpack(cluster: Path, source: int) -> None:
    cluster.mkdir(mode=0o700, exist_ok=True)
    reader = tape.Tape(source)
    for entry in reader:
        target = cluster / entry.name
        if entry.kind == tape.FOLDER:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif entry.kind == tape.FILE:
            _place(reader, target)
        else:
            raise errors.Rejected(f"the backup has {entry.name}, which is not a file: tablespaces are not taken back")


def _place(reader: tape.Tape, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        reader.move(file)
    finally:
        os.close(file)
