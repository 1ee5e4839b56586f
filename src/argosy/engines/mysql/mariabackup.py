"""The strategies of `mariadb-backup`: the server's files while it runs, whole or only the pages changed since."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from argosy import errors
from argosy.engines import programs
from argosy.engines.backups import Layer
from argosy.engines.mysql import tools
from argosy.model.guest import Site

WAIT_SECONDS = 60
"""for statements that hold tables by LOCK TABLES, which a backup has to wait for"""
LEFT_BY_TOOLS = ("xtrabackup_*", "mariadb_backup_*", "backup-my.cnf")
LEAST_MEMORY = 16 << 20
AT_ONCE = 2
"""files that are read or written at a time: with one the tools wait for the disk and for each other"""


def dump(site: Site, login: str, scratch: Path, out: int, *, since: str = "") -> Mapping[str, str]:
    """Write the stream into `out`; since an LSN, or everything. What the tool tells of it."""
    told = scratch / "told"
    target = scratch / "target"
    options = [f"--incremental-lsn={since}"] if since else []
    programs.stream(
        tools.find(site.root, tools.BACKUP),
        login,
        "--backup",
        "--stream=mbstream",
        f"--parallel={AT_ONCE}",
        f"--target-dir={target}",
        f"--extra-lsndir={told}",
        f"--startup-wait-timeout={WAIT_SECONDS}",
        *options,
        into=out,
        cwd=scratch,
    )
    return _told(told / "xtrabackup_info")


def load(site: Site, layers: Sequence[Layer], scratch: Path) -> None:
    """Unpack the full backup, roll it forward, and do so with every one that builds on it."""
    data = site.data / "db"
    for layer in layers:
        increment = data if layer is layers[0] else site.data / "increment"
        increment.mkdir(mode=0o700)
        _unpack(site, layer, increment, scratch)
        _prepare(site, data, increment, scratch)
        if increment != data:
            shutil.rmtree(increment)
    for pattern in LEFT_BY_TOOLS:
        for file in data.glob(pattern):
            file.unlink()
    programs.run("sync", "--file-system", data)


def _unpack(site: Site, layer: Layer, into: Path, scratch: Path) -> None:
    unpack = tools.find(site.root, tools.UNPACK)
    with layer.open() as source:
        options = ("--extract", f"--parallel={AT_ONCE}", f"--directory={into}")
        programs.stream(unpack, *options, source=source, cwd=scratch)


def _prepare(site: Site, data: Path, increment: Path, scratch: Path) -> None:
    """Raises GuestFailed, in the tool's words, for an increment that is of something else."""
    options = [] if increment == data else [f"--incremental-dir={increment}"]
    programs.stream(
        tools.find(site.root, tools.BACKUP),
        "--no-defaults",
        "--prepare",
        f"--target-dir={data}",
        f"--use-memory={max(site.memory // 4, LEAST_MEMORY)}",
        *options,
        cwd=scratch,
    )


def _told(file: Path) -> Mapping[str, str]:
    """Names and values, as the tool writes them."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise errors.GuestFailed(f"{tools.BACKUP} tells nothing of its backup: {error}") from error
    told = {name: value for name, _, value in (line.partition(" = ") for line in lines)}
    if not re.fullmatch(r"\d+", told.get("innodb_to_lsn", "")):
        raise errors.GuestFailed(f"{tools.BACKUP} does not tell how far its backup goes")
    return told
