"""What must be there before the processes start."""

import time
from pathlib import Path

import pytest

from argosy import settings
from argosy.db import migrate, sealed
from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.launcher import preparing
from argosy.launcher.preparing import KEYS, LostKey, NotPrepared


@pytest.mark.parametrize("lost", KEYS)
def test_a_lost_key_is_not_replaced_in_silence(tmp_path: Path, lost: str) -> None:
    """A new one would make guests, clients and what rests sealed worth nothing."""
    for name in set(KEYS) - {lost}:
        (tmp_path / name).touch()
    with pytest.raises(LostKey, match=lost):
        preparing.require_keys(tmp_path, written=True)


def test_what_cannot_be_prepared_says_why(tmp_path: Path) -> None:
    deployment = settings.load(tmp_path, {})
    deployment.keys.mkdir()
    migrate.upgrade(Database(deployment.database_url))
    with pytest.raises(NotPrepared, match=r"master\.key is gone"), preparing.under_way(deployment):
        pass


def test_the_first_start_has_none(tmp_path: Path) -> None:
    preparing.require_keys(tmp_path, written=False)


def test_the_key_of_another_deployment_is_refused(tmp_path: Path) -> None:
    """Before anything is sealed by it."""
    database = Database(f"sqlite:///{tmp_path}/control.db")
    for name in ("own", "foreign"):
        sealed.make(tmp_path / name)
    sealed.use(tmp_path / "foreign")
    preparing.require_own_key(database)
    sealed.use(tmp_path / "own")
    migrate.upgrade(database)
    preparing.require_own_key(database)
    with database.write() as session:
        now = time.time()
        times = {"wake_at": now, "deadline_at": now, "created": now}
        session.add(Run(id="r", workflow="w", step="s", subject="i", memory={}, **times))
    preparing.require_own_key(database)
    sealed.use(tmp_path / "foreign")
    with pytest.raises(sealed.BadKey, match=r"put back keys/master\.key"):
        preparing.require_own_key(database)


def test_what_a_former_release_wrote_is_kept_before_the_schema_changes(tmp_path: Path) -> None:
    """The way back to that release. Where nothing changes nothing is kept."""
    (tmp_path / "argosy.toml").touch()
    deployment = settings.load(tmp_path, {})
    database = Database(deployment.database_url)
    deployment.keys.mkdir()
    for name in KEYS:
        (deployment.keys / name).write_text("key")
    migrate.upgrade(database, "0001")
    preparing._keep_former(deployment, database)
    kept = list((tmp_path / "self-backups").glob("*.argosy"))
    assert len(kept) == 1
    migrate.upgrade(database)
    preparing._keep_former(deployment, database)
    assert list((tmp_path / "self-backups").glob("*.argosy")) == kept
