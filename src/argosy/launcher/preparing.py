"""What must be there before the processes start: keys, certificate authority, tables, the first accounts.

Every part may be repeated: an upgrade brings the tables up to date, everything else stays as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import clock, errors
from argosy.launcher import logins
from argosy.launcher.forks import fork
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.db.session import Database
    from argosy.identity.local.bootstrap import Credentials


class NotPrepared(errors.Broken):
    """the deployment could not be prepared: logs/supervisor.log says why"""


class LostKey(errors.Broken):
    """a key of this deployment is gone"""


KEYS = ("master.key", "ca.key", "ca.crt")


@contextmanager
def under_way(deployment: Settings) -> Iterator[None]:
    """Prepare in a child beside the body of `with`: what only this needs takes no memory later. Raises NotPrepared,
    which says why: `argosy up` shows the last that we say.
    """
    out, into = os.pipe()
    pid = fork(lambda: _prepared(deployment, into))
    os.close(into)
    with os.fdopen(out) as fault:
        yield
        if os.waitpid(pid, 0)[1] != 0:
            raise NotPrepared(fault.read())


def _prepared(deployment: Settings, fault: int) -> int:
    try:
        return prepare(deployment)
    except errors.ArgosyError as error:
        os.write(fault, error.message.encode())
        raise


def prepare(deployment: Settings) -> int:
    from argosy.db import migrate, sealed
    from argosy.db.session import Database
    from argosy.guest import authority
    from argosy.identity.local.bootstrap import bootstrap

    database = Database(deployment.database_url)
    with database.engine.connect() as connection:
        require_keys(deployment.keys, written=migrate.current(connection) is not None)
    sealed.make(deployment.keys / "master.key")
    sealed.use(deployment.keys / "master.key")
    require_own_key(database)
    authority.make(deployment.keys)
    _keep_former(deployment, database)
    migrate.upgrade(database)
    if deployment.identity.backend == "local":
        bootstrap(database, lambda made: _keep(deployment, made))
    return 0


def _keep_former(deployment: Settings, database: Database) -> None:
    """Before the schema changes: the way back to the release that wrote it (docs/operate/upgrade.md)."""
    from argosy.db import migrate, self_backup

    with database.engine.connect() as connection:
        former = migrate.current(connection)
    if former not in {None, migrate.HEAD}:
        migrate.require_known(str(former))
        self_backup.keep(deployment, database, now=clock.now())


def require_keys(keys: Path, *, written: bool) -> None:
    """What a control database was written with cannot be made anew: guests and clients trust it. Raises LostKey."""
    lost = [name for name in KEYS if not (keys / name).exists()]
    if written and lost:
        raise LostKey(
            f"{keys / lost[0]} is gone and the control database needs it: put back the copy of this deployment"
        )


def require_own_key(database: Database) -> None:
    """With another master key everything would answer, and nothing that rests sealed would open. Raises BadKey."""
    from sqlalchemy import select

    from argosy.db import migrate
    from argosy.db.tables import Run

    with database.engine.connect() as connection:
        if migrate.current(connection) is not None:
            connection.execute(select(Run.memory).limit(1)).all()


def _keep(deployment: Settings, made: Iterable[Credentials]) -> None:
    """For `argosy up` to hand out, see logins.py; readable for the unprivileged processes and root alone."""
    told = [{"username": each.user, "project": each.project, "password": each.password} for each in made]
    fresh = logins.file(deployment).with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(told, out)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(logins.file(deployment))
