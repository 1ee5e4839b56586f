"""How engines keep their small files: whole or not at all, and for the guest's own user only."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from argosy import errors

LONGEST_SOCKET_PATH = 107
"""What fits into `sockaddr_un` with its closing zero."""


def write(path: Path, text: str) -> None:
    """Replace the file by rename: readers and a crash see the old text or the new, never a part."""
    _draft(path, text).replace(path)


def write_together(texts: Mapping[Path, str]) -> None:
    """Replace files that belong together: what a crash can fall between is nothing but their renames."""
    for path, draft in {path: _draft(path, text) for path, text in texts.items()}.items():
        draft.replace(path)


def _draft(path: Path, text: str) -> Path:
    """On disk when this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def pipes(paths: Iterable[Path]) -> None:
    """Have a named pipe at each path."""
    for path in paths:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)


def chosen(overrides: Mapping[str, object]) -> dict[str, object]:
    """Those that belong into a server's files: not the ones that are the server's own again."""
    return {name: value for name, value in overrides.items() if value is not None}


def sync_directory(path: Path) -> None:
    """Make what was renamed or removed in the directory outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Make every file and directory below outlive a power cut."""
    for each in path.rglob("*"):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_directory(path)


def socket_path(directory: Path, name: str) -> Path:
    """Raises GuestFailed when the kernel could not bind it."""
    path = directory / name
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise errors.GuestFailed(f"the path of the socket {path} is too long: choose a shorter state directory")
    return path


def listening(path: Path) -> bool:
    """Whether some server accepts connections on the socket."""
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(path))
        except OSError:
            return False
    return True
