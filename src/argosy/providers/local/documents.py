"""Files that are written where a hostile guest may have written too."""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from argosy import errors

LONGEST = 1 << 20


def our_directory(path: Path) -> Path:
    """A directory that only we can enter or replace. Raises CloudFailed for what somebody else put in its place."""
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise errors.CloudFailed(f"{path} was not made by Argosy: remove it")
    return path


def own_directory(path: Path, uid: int) -> None:
    """Make the guest's own directory, and hand it over also when a killed process did not come to that."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.lstat().st_uid != uid:
        os.chown(path, uid, uid)


@dataclass(frozen=True)
class Writing:
    uid: int = -1
    """whom the file belongs to; -1: to us"""
    mode: int = 0o600


def write(directory: Path, name: str, text: str, how: Writing = Writing()) -> None:
    """Replace a file, whole or not at all; leave it alone when it says the same already.

    It is not forced to disk, which costs more than all else: after a power cut `ensure` writes everything anew.
    The directory may belong to a hostile guest while we are root: nothing in it is followed or overwritten in place.
    """
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if _read(place, name) != text.encode():
            _replace(place, name, text.encode(), how)
    finally:
        os.close(place)


def _read(place: int, name: str) -> bytes | None:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    except OSError:
        return None
    try:
        return os.read(file, LONGEST) if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _replace(place: int, name: str, content: bytes, how: Writing) -> None:
    draft = f".{name}.{secrets.token_hex(8)}"
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=place)
    with os.fdopen(file, "wb") as new:
        os.fchown(file, how.uid, how.uid)
        os.fchmod(file, how.mode)
        new.write(content)
    os.rename(draft, name, src_dir_fd=place, dst_dir_fd=place)
