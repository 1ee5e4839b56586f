"""Which engines stand on this machine: the host's packages, and engine roots side by side."""

from __future__ import annotations

import functools
import logging
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.engines.base import Engine, Found
from argosy.model import process
from argosy.providers.local.layout import Layout
from argosy.settings import Settings

log = logging.getLogger(__name__)

HOST = Path("/")


def directory(settings: Settings) -> Path:
    return Path(settings.provider.engines) if settings.provider.engines else Layout(settings.state).engines


def barred(path: Path) -> str:
    """What keeps this user from looking into a directory, and the cure; nothing where there is no such directory."""
    return "" if _may_look(path) else _cure(path)


def _may_look(path: Path) -> bool:
    try:
        return not stat.S_ISDIR(path.stat().st_mode) or os.access(path, os.R_OK | os.X_OK)
    except PermissionError:
        return False
    except OSError:
        return True  # nobody has put it there yet


def _cure(path: str | Path) -> str:
    user = process.user()
    return f"{path} cannot be read by the user {user}: `chmod -R a+rX` it, and `chmod a+x` the directories above it"


@dataclass(frozen=True)
class Roots:
    directory: Path
    """one subdirectory per engine root"""
    engines: Mapping[str, Engine]

    def catalog(self) -> Mapping[str, Sequence[Found]]:
        """What is there now. Of the same version found twice an engine root wins: who put it there meant it."""
        return {name: self._versions(engine) for name, engine in self.engines.items()}

    def get(self, engine: str, version: str) -> Found:
        """Raises CloudFailed, naming what there is instead."""
        found = self._versions(self.engines[engine]) if engine in self.engines else ()
        for each in found:
            if each.version == version:
                return each
        there = ", ".join(each.version for each in found) or "none"
        cure = f"install it, or unpack it into {self.directory}"
        raise errors.CloudFailed(f"{engine} {version} is not on this machine (found: {there}): {cure}")

    def _versions(self, engine: Engine) -> Sequence[Found]:
        return list({each.version: each for root in self._roots() for each in _found(engine, root)}.values())

    def _roots(self) -> Iterable[Path]:
        """What this user may not read is left out: the engines of all others are still to be had."""
        yield HOST
        if _readable(self.directory) and self.directory.is_dir():
            yield from (path for path in sorted(self.directory.iterdir()) if _readable(path) and path.is_dir())


def _readable(path: Path) -> bool:
    words = barred(path)
    if words:
        _warn(words)
    return not words


def _found(engine: Engine, root: Path) -> Sequence[Found]:
    try:
        return engine.find(root)
    except PermissionError as error:
        _warn(_cure(error.filename or root))
        return ()


@functools.cache  # looked for every minute, and told once
def _warn(words: str) -> None:
    log.warning("left out of the engine roots: %s", words)
