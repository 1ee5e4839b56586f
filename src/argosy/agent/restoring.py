"""A restore on its volume: nothing that is half there can be taken for a database, whoever is killed when.

<volume>/unfinished/     where the data directory is made; moved to `db` once it is whole
<volume>/scratch/        what is needed for that
<volume>/restoring       from the beginning until the data are what was asked for: no server starts on them
<volume>/restored        the command that they were made for
"""

from __future__ import annotations

import shutil
from pathlib import Path

from argosy import errors
from argosy.agent import moving
from argosy.engines import files

DATABASE = "db"


class Restoring:
    def __init__(self, volume: Path, command: str) -> None:
        self._volume, self._command = volume, command
        self.unfinished, self.scratch = volume / "unfinished", volume / "scratch"

    @property
    def done(self) -> bool:
        return not unfinished(self._volume) and _read(self._volume / "restored") == self._command

    def begin(self) -> None:
        """On an empty volume, or one on which somebody was killed at this. Raises Conflict for one with other data."""
        if unfinished(self._volume):
            shutil.rmtree(self._volume / DATABASE, ignore_errors=True)
        if (self._volume / DATABASE).exists():
            raise errors.Conflict("there are data on the volume already: a restore begins on an empty one")
        files.write(_mark(self._volume), self._command)
        files.sync_directory(self._volume)
        self.clear()
        self.unfinished.mkdir(mode=0o700)

    def publish(self) -> None:
        """What was made goes to its place, the data directory last."""
        for each in sorted(self.unfinished.iterdir(), key=lambda path: path.name == DATABASE):
            each.rename(self._volume / each.name)
        files.sync_directory(self._volume)
        self.clear()

    def finish(self) -> None:
        """The data are what was asked for."""
        files.write(self._volume / "restored", self._command)
        _mark(self._volume).unlink(missing_ok=True)
        files.sync_directory(self._volume)

    def clear(self) -> None:
        """Of what nobody needs any more; the mark stays."""
        moving.clear(self.unfinished, self.scratch)


def unfinished(volume: Path) -> bool:
    return _mark(volume).exists()


def _mark(volume: Path) -> Path:
    return volume / "restoring"


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""
