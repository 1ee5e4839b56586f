"""A chain of backups made into a data directory by the strategy that took it, on any machine that has the engine."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.agent.archived import Log
from argosy.agent.archiver import driver_of
from argosy.engines import registry, roots
from argosy.engines.archiving import Logs, Moment, PointInTime, Target
from argosy.engines.base import Driver, Engine, Found
from argosy.model.backups import Manifest
from argosy.model.guest import Identity, Site, TlsMode
from argosy.salvage.history import History
from argosy.salvage.reading import Reader
from argosy.stores.chains import Link

TOLD = "restored.json"
DATABASE = "db"
MEMORY = 1 << 30
"""of the server, unless told otherwise"""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Further:
    """How to go on from a backup."""

    history: History
    target: Target


@dataclass(frozen=True)
class Restored:
    """What stands in a directory."""

    engine: str
    version: str
    root: str
    backup: str
    port: int
    memory: int = MEMORY
    datastore: str = ""
    """as its owner knows it: `mariadb`, where the engine is `mysql`"""

    def driver(self, place: Path) -> Driver:
        return registry.get(self.engine).load_driver()(self.site(place))

    def site(self, place: Path) -> Site:
        """For whoever sits at this machine: it listens on the loopback address only, and needs no certificate."""
        return Site(
            root=Path(self.root),
            data=place / "data",
            state=place / "state",
            address=LOOPBACK,
            port=self.port,
            memory=self.memory,
            vcpus=float(os.cpu_count() or 1),
            volume=0,
            tls=TlsMode.OFF,
        )


def restore(
    reader: Reader, links: Sequence[Link], place: Path, restored: Restored, further: Further | None = None
) -> Moment | None:
    """Into a directory that is empty or not there, ready to be served; and on along a log, where that ended.

    Raises Conflict, Damaged, WrongKey, Broken, GuestFailed, Rejected for a moment that the log does not have.
    """
    load(reader, links, place, restored)
    driver = restored.driver(place)
    driver.adopt(Identity(str(uuid.uuid4()), 1))
    driver.configure({})
    ended = _go_on(reader, links[-1].manifest, place, driver, further) if further else None
    (place / TOLD).write_text(json.dumps(dataclasses.asdict(restored), indent=1) + "\n")
    return ended


def load(reader: Reader, links: Sequence[Link], place: Path, restored: Restored) -> None:
    """The data directory alone, which is there only when all of it is: until then it has another name."""
    begin(place)
    site, draft = restored.site(place), place / "unfinished"
    for each in (site.data, site.state, draft):
        each.mkdir(mode=0o700)
    with tempfile.TemporaryDirectory(dir=place, prefix="scratch-") as scratch:
        driver = driver_of(registry.get(restored.engine), dataclasses.replace(site, data=draft))
        driver.load(reader.layers(links), Path(scratch))
    for each in sorted(draft.iterdir(), key=lambda path: path.name == DATABASE):
        each.rename(site.data / each.name)
    draft.rmdir()


def _go_on(reader: Reader, backup: Manifest, place: Path, driver: Driver, further: Further) -> Moment:
    """Along the log that was archived since, which is laid together first."""
    if not isinstance(driver, PointInTime):
        raise errors.NotSupported("this engine cannot be restored to a moment")
    with tempfile.TemporaryDirectory(dir=place, prefix="logs-") as logs:
        log = Log(further.history, further.history.order(backup), reader.tally)
        for name, size in log.files():
            log.fetch(name, size, Path(logs) / name)
        return driver.replay(Logs.there(Path(logs)), backup.position, further.target)


def told(place: Path) -> Restored:
    """What we restored there. Raises NotFound, Forbidden for what another user restored: it names programs to run, and
    what those wrote would not be that user's.
    """
    try:
        with (place / TOLD).open() as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                raise PermissionError
            return Restored(**json.load(file))
    except FileNotFoundError as error:
        raise errors.NotFound(f"nothing was restored in {place}: argosy-restore restore does that") from error
    except PermissionError as error:
        raise errors.Forbidden(f"what is in {place} was restored by another user: do this as that user") from error


def choose(manifest: Manifest, root: Path) -> Found:
    """The server on this machine that can have the data. Raises NotFound, which says what there is."""
    engine = registry.get(manifest.engine)
    found = list(engine.find(root))
    fit = [each for each in found if _takes(engine, manifest, each)]
    if not fit:
        there = ", ".join(each.version for each in found) or "none"
        raise errors.NotFound(
            f"backup {manifest.backup} is of {engine.title} {manifest.version}, and {root} has {there}: install the"
            " same series, or name its directory by --engine-root"
        )
    return fit[-1]


def _takes(engine: Engine, manifest: Manifest, found: Found) -> bool:
    """The same series for files, the same or a later one for statements."""
    had, has = roots.order(manifest.version), roots.order(found.version)
    if engine.native(manifest.version) is not engine.native(found.version):
        return False
    logical = any(each.logical for each in engine.strategies if each.name == manifest.strategy)
    return has[: engine.series] == had[: engine.series] or (logical and has > had)


def begin(place: Path) -> None:
    """An empty directory. Raises Conflict."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    there: list[Any] = list(place.iterdir())
    if there:
        raise errors.Conflict(f"{place} is not empty: name a directory that is, or that is not there")
