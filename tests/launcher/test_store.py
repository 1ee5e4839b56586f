"""`argosy store check`: what an operator asks before trusting backups to a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argosy import settings
from argosy.__main__ import COMMANDS
from argosy.cli.main import run
from argosy.db import sealed


@pytest.fixture
def state(tmp_path: Path) -> Path:
    sealed.make(tmp_path / "keys" / "master.key")
    return tmp_path


def configure(state: Path, **store: str) -> None:
    lines = [f'{name} = "{value}"' for name, value in store.items()]
    (state / "argosy.toml").write_text("\n".join(["[store]", *lines]))
    settings.load(state)


def check(state: Path, *more: str) -> int:
    return run(COMMANDS, ["--state", str(state), "store", "check", "-o", "json", *more])


def test_a_store_that_can_be_used(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(state) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["store"] == str(state / "objects")
    assert set(told["seconds"]) == {"write", "list", "read", "delete"}
    assert 0 < told["used_percent"] <= 100
    assert [each for each in (state / "objects").rglob("*") if each.is_file()] == []


def test_a_mount_that_is_missing(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(state, path=str(state / "mount"))
    assert check(state) == 5
    assert "is it mounted" in capsys.readouterr().err


def test_credentials_that_everybody_can_read(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(state, kind="s3", url="http://127.0.0.1:9")
    file = state / "keys" / "store.toml"
    file.write_text('access_key = "a"\nsecret_key = "hush"\n')
    file.chmod(0o644)
    assert check(state) == 1
    told = capsys.readouterr()
    assert "chmod it 600" in told.err
    assert "hush" not in told.out + told.err


def test_a_server_that_does_not_answer(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(state, kind="s3", url="http://127.0.0.1:9", patience_seconds="0.1")
    file = state / "keys" / "store.toml"
    file.write_text('access_key = "a"\nsecret_key = "hush"\n')
    file.chmod(0o600)
    assert check(state) == 5
    told = capsys.readouterr()
    assert "cannot be reached" in told.err
    assert "hush" not in told.out + told.err


def test_a_region_is_only_read(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = state / "theirs"
    (state / "argosy.toml").write_text(f'[regions.north]\npath = "{theirs}"\n[regions.south]\nkind = "tape"\n')
    assert check(state, "--region", "north") == 5
    assert "is it mounted" in capsys.readouterr().err
    theirs.mkdir()
    for count, verbs in ((0, {"list"}), (1, {"list", "read"})):
        assert check(state, "--region", "north") == 0
        (told,) = json.loads(capsys.readouterr().out)
        assert (told["store"], set(told["seconds"])) == (str(theirs), verbs)
        assert len([each for each in theirs.rglob("*") if each.is_file()]) == count
        (theirs / "kept").write_bytes(b"x")
    assert check(state, "--region", "south") == 1
    assert "not 'tape'" in capsys.readouterr().err
    assert check(state) == 0
