"""Put a self-backup in its place: first read it back whole, then lay aside what is there, then move it in.

Broken off in the middle it may be done again with `--force`: what was laid aside stays where it is.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from argosy import clock, errors, settings
from argosy.db import copying, migrate, self_backup
from argosy.db.envelope import Key
from argosy.db.self_backup import Manifest
from argosy.db.session import Database
from argosy.launcher import account, processes, statedir
from argosy.settings import BadSetting, Settings

LAID_ASIDE = ("keys", "argosy.toml", "control.db", "control.db-wal", "control.db-shm")


class StillRuns(errors.Rejected):
    """Argosy runs here: argosy down, then restore"""


class Occupied(errors.Rejected):
    """there is a deployment already"""


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    aside: Path | None
    """where that is kept which stood in its place"""


def require_vacant(state: Path, *, force: bool) -> None:
    """Raises StillRuns whatever is forced, Occupied unless it is."""
    running = [role for role in processes.ROLES if processes.recorded(state / "run", role)]
    if running:
        raise StillRuns
    there = [name for name in LAID_ASIDE if (state / name).exists()]
    if there and not force:
        raise Occupied(f"{state / there[0]} is there: --force lays it aside, and what belongs to it")


def restore(state: Path, file: Path, key: Key, *, force: bool) -> Restored:
    """Raises what self_backup.unpack raises, BadSetting where the backup is of another level, Occupied, StillRuns."""
    require_vacant(state, force=force)
    user = account.ensure() if os.geteuid() == 0 else None
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restoring-", dir=state) as directory:
        place = Path(directory)
        with file.open("rb") as source:
            manifest = self_backup.unpack(source, key, place)
        _check_level(manifest, user)
        _require_vacant_server(settings.load(place), force=force)
        (place / self_backup.SETTINGS).chmod(0o644)
        _hand_over([place / self_backup.KEYS, *(place / self_backup.KEYS).iterdir(), place / "control.db"], user)
        aside = _lay_aside(state, settings.load(place))
        statedir.adopt(state, user)
        _move_in(place, state)
    return Restored(manifest, aside)


def _require_vacant_server(told: Settings, *, force: bool) -> None:
    """The settings may name a database that serves another machine. Raises Occupied unless it is forced."""
    if told.database.url and not force and _written(told):
        raise Occupied("the control database that the settings name holds a deployment: --force replaces it")


def _written(told: Settings) -> bool:
    database = Database(told.database_url)
    with database.engine.connect() as connection:
        written = migrate.current(connection) is not None
    database.engine.dispose()
    return written


def _check_level(manifest: Manifest, user: pwd.struct_passwd | None) -> None:
    level = "root" if user else "user"
    if manifest.level != level:
        raise BadSetting(f"this is the backup of a deployment of level {manifest.level}: restore it as its user")


def _hand_over(paths: list[Path], user: pwd.struct_passwd | None) -> None:
    if user is not None:
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid)


def _lay_aside(state: Path, told: Settings) -> Path | None:
    there = [state / name for name in LAID_ASIDE if (state / name).exists()]
    served = bool(told.database.url) and _written(told)
    if not (there or served):
        return None
    aside = Path(tempfile.mkdtemp(prefix=f"before-{clock.timestamp(clock.now()).replace(':', '')}-", dir=state))
    if served:
        copying.save(Database(told.database_url), aside / "server.db")
    for path in there:
        path.rename(aside / path.name)
    return aside


def _move_in(place: Path, state: Path) -> None:
    """The control database comes last: without it nothing starts to use the rest."""
    (place / self_backup.KEYS).rename(state / "keys")
    (place / self_backup.SETTINGS).rename(state / "argosy.toml")
    deployment = settings.load(state)
    if deployment.database.url:
        _load(deployment, place / self_backup.DATABASE)
    else:
        shutil.move(place / self_backup.DATABASE, state / "control.db")


def _load(deployment: Settings, file: Path) -> None:
    """Into the server's database that the settings name, in the place of the tables that are there."""
    database = Database(deployment.database_url)
    copying.clear(database, file)
    copying.load(file, database)
    database.engine.dispose()
