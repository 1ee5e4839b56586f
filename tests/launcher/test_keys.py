"""What opens backups when the deployment is gone: kept sealed, never shown, never overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from argosy import settings
from argosy.__main__ import COMMANDS
from argosy.cli.main import run
from argosy.db import envelope, escrow, keys_from_elsewhere, migrate, project_keys, sealed
from argosy.db.session import Database
from argosy.db.tables import Event
from argosy.settings import Settings
from argosy.stores import keys

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


def test_what_another_deployment_has_sealed_is_opened_by_its_escrow(
    deployment: Settings, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of its master key nothing else is kept, and that sealed."""
    file, master = tmp_path / "escrow", os.urandom(32)
    with file.open("wb") as out:
        told = escrow.write(out, master, PASSPHRASE)
    for said in ("can be opened from now on", "can be opened already"):
        assert _argosy(deployment, "keys", "import", str(file), "--passphrase-file", str(secret)) == 0
        assert f"master key {told.name} has sealed {said}" in capsys.readouterr().out
    theirs = keys.wrapping(keys.deriving(master))
    with Database(deployment.database_url).read() as session:
        assert keys_from_elsewhere.wrappings(session) == [theirs]
        assert [each.payload["master"] for each in session.scalars(select(Event))] == [told.name]
    resting = (deployment.state / "control.db").read_bytes()
    for each in (master, theirs.key):
        assert each not in resting
        assert each.hex().encode() not in resting


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "does not have this release's tables: run `argosy up` first"),
        ("sqlite:////nowhere/control.db", "does not answer: (sqlite3.OperationalError)"),
    ],
)
def test_before_the_first_up_it_is_said_what_comes_first(
    url: str,
    told: str,
    secret: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ARGOSY_DATABASE__URL", url)
    sealed.make(tmp_path / "keys" / "master.key")
    with (tmp_path / "escrow").open("wb") as out:
        escrow.write(out, os.urandom(32), PASSPHRASE)
    for words in (("rotate", "--yes"), ("import", str(tmp_path / "escrow"), "--passphrase-file", str(secret))):
        assert run(COMMANDS, ["--state", str(tmp_path), "keys", *words]) == 1
        assert capfd.readouterr().err.startswith(f"argosy: the control database {told}")


def test_an_escrow_that_gives_nothing(
    deployment: Settings, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / "escrow", tmp_path / "other"
    other.write_text("another passphrase\n")
    _argosy(deployment, "keys", "export", str(file), "--passphrase-file", str(secret))
    assert _argosy(deployment, "keys", "import", str(file), "--passphrase-file", str(secret)) == 4
    assert "this deployment's own master key" in capsys.readouterr().err
    assert _argosy(deployment, "keys", "import", str(file), "--passphrase-file", str(other)) == 4
    assert _argosy(deployment, "keys", "import", str(secret), "--passphrase-file", str(secret)) == 1
    assert "no file that `argosy keys export` made" in capsys.readouterr().err
    with Database(deployment.database_url).read() as session:
        assert keys_from_elsewhere.wrappings(session) == []
