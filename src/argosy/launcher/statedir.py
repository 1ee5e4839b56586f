"""The state directory: who owns which part of it, and its settings file.

At level `root` the directories that root writes in belong to root and are sticky, so that the unprivileged processes
can add files of their own and can neither replace nor redirect what root relies on.
"""

from __future__ import annotations

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import settings
from argosy.launcher import ports
from argosy.settings import BadSetting, Settings

LONGEST = {"root": 90, "user": 45}
"""Letters of a state directory's path: a Unix socket's ends at 107 (unix(7)), and the longest below it takes 62 at
level `user` (`guests/<uuid>.<generation>/.s.PGSQL.5432`) and 16 at level `root`, where guests see short paths.
"""


@dataclass(frozen=True)
class Directory:
    name: str
    mode: int
    """at level root; below it everything is for its owner alone"""
    roots: bool
    """belongs to root, and to the group of the unprivileged processes"""


DIRECTORIES = (
    Directory("", 0o1771, roots=True),
    Directory("keys", 0o700, roots=False),
    Directory("logs", 0o1770, roots=True),
    Directory("objects", 0o700, roots=False),
    Directory("run", 0o1775, roots=True),
)


def prepare(state: Path, user: pwd.struct_passwd | None, port_base: int | None) -> Settings:
    """Make what is missing; the settings file, once written, is the operator's. `user` None: level `user`."""
    level = "root" if user else "user"
    if len(str(state)) > LONGEST[level]:
        raise BadSetting(f"{state} is too long for the Unix sockets below it: use a path of {LONGEST[level]} letters")
    adopt(state, user)
    with locked(state):
        if not (state / "argosy.toml").exists():
            _write_settings(state, level, ports.choose(port_base))
    return settings.load(state)


def adopt(state: Path, user: pwd.struct_passwd | None) -> None:
    """Make every directory that is missing, and each its owner's."""
    for directory in DIRECTORIES:
        _make(state / directory.name, directory, user)


def _make(path: Path, directory: Directory, user: pwd.struct_passwd | None) -> None:
    path.mkdir(parents=True, exist_ok=True)
    if user is None:
        path.chmod(0o700)
    else:
        os.chown(path, 0 if directory.roots else user.pw_uid, user.pw_gid)
        path.chmod(directory.mode)


def _write_settings(state: Path, level: str, chosen: ports.Ports) -> None:
    text = (
        "# Written by the first `argosy up`. Every option stands in docs/reference/settings.md;\n"
        "# a change holds from the next `argosy up` on. Passwords are better given by environment.\n\n"
        f"[api]\nport = {chosen.api}\n\n[identity]\nport = {chosen.identity}\n\n"
        f"[conductor]\nport = {chosen.conductor}\n\n[console]\nport = {chosen.console}\n\n"
        f'[provider]\nlevel = "{level}"\n'
    )
    fresh = state / "argosy.toml.new"
    fresh.write_text(text)
    fresh.chmod(0o644)
    fresh.replace(state / "argosy.toml")


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """One at a time may start, stop or remove this deployment."""
    descriptor = os.open(state / "run" / "up.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
