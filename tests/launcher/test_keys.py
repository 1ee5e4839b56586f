"""What opens backups when the deployment is gone: kept sealed, never shown, never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from argosy import settings
from argosy.__main__ import COMMANDS
from argosy.cli.main import run
from argosy.db import envelope, escrow, migrate, project_keys, sealed
from argosy.db.session import Database
from argosy.db.tables import Event
from argosy.settings import Settings

PASSPHRASE = "correct horse battery"


@pytest.fixture
def deployment(tmp_path: Path) -> Settings:
    state = tmp_path / "state"
    sealed.make(state / "keys" / "master.key")
    sealed.use(state / "keys" / "master.key")
    told = settings.load(state, {})
    migrate.upgrade(Database(told.database_url))
    return told


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(PASSPHRASE + "\n")
    return tmp_path / "secret"


def _argosy(deployment: Settings, *words: str) -> int:
    return run(COMMANDS, ["--state", str(deployment.state), *words])


def test_the_master_key_is_kept_sealed(
    deployment: Settings, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "escrow"
    assert _argosy(deployment, "keys", "export", str(file), "--passphrase-file", str(secret)) == 0
    master = (deployment.keys / "master.key").read_bytes()
    with file.open("rb") as source:
        told = escrow.read(source, PASSPHRASE)
    assert told.master == master
    assert told.name in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    assert master not in file.read_bytes()
    assert master.hex().encode() not in file.read_bytes()


def test_an_escrow_is_refused_with_its_reason(deployment: Settings, secret: Path, tmp_path: Path) -> None:
    file = tmp_path / "escrow"
    _argosy(deployment, "keys", "export", str(file), "--passphrase-file", str(secret))
    with file.open("rb") as source, pytest.raises(envelope.WrongKey):
        escrow.read(source, "another passphrase")
    with secret.open("rb") as source, pytest.raises(escrow.NotAnEscrow):
        escrow.read(source, PASSPHRASE)


def test_what_is_there_is_never_overwritten(deployment: Settings, secret: Path) -> None:
    assert _argosy(deployment, "keys", "export", str(secret), "--passphrase-file", str(secret)) == 4
    assert secret.read_text() == PASSPHRASE + "\n"


def test_a_key_that_is_gone_is_missed_in_words(
    deployment: Settings, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (deployment.keys / "master.key").unlink()
    assert _argosy(deployment, "keys", "export", str(tmp_path / "escrow"), "--passphrase-file", str(secret)) == 3
    assert "master.key is gone: put back the copy" in capsys.readouterr().err
    assert not (tmp_path / "escrow").exists()


def test_keys_are_rotated_for_one_project_or_all(deployment: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    database = Database(deployment.database_url)
    with database.write() as session:
        before = project_keys.newest(session, "p")
        project_keys.newest(session, "q")
    assert _argosy(deployment, "keys", "rotate", "--project", "p") == 0
    assert _argosy(deployment, "keys", "rotate", "--yes") == 0
    assert capsys.readouterr().out == "project p: key 2\nproject p: key 3\nproject q: key 2\n"
    with database.write() as session:
        assert project_keys.newest(session, "p").number == 3
        assert project_keys.get(session, "p", 1) == before
        told = session.scalars(select(Event.project_id).where(Event.kind == "dbaas.project_key_rotate")).all()
    assert sorted(told) == ["p", "p", "q"]


def test_a_project_without_backups_has_no_key_to_rotate(
    deployment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _argosy(deployment, "keys", "rotate", "--project", "nobody") == 1
    assert "nobody has no key" in capsys.readouterr().err
