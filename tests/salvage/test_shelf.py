"""What can be said of backups by the store and the key alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from argosy.__main__ import COMMANDS
from argosy.cli import passphrases
from argosy.cli.main import run
from argosy.db import escrow
from argosy.model.backups import PART_BYTES
from argosy.salvage.main import main
from argosy.stores.filesystem import FilesystemStore
from argosy.testing.archives import Vault

MASTER = bytes(range(32))
PASSPHRASE = "correct horse battery"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(FilesystemStore(tmp_path / "objects"), MASTER)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is always told: the store and the escrow of its key."""
    monkeypatch.setenv(passphrases.VARIABLE, PASSPHRASE)
    with (tmp_path / "escrow").open("wb") as out:
        escrow.write(out, MASTER, PASSPHRASE)
    return ["--store", str(tmp_path / "objects"), "--escrow", str(tmp_path / "escrow")]


def test_backups_are_listed_with_their_chain(
    vault: Vault, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    full = vault.keep(b"full", name="first", finished=1.0)
    one = vault.keep(b"one", full, name="second", finished=2.0)
    assert main([*opened, "list", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["backup"], each["name"], each["parent"]) for each in told] == [
        (full.backup, "first", ""),
        (one.backup, "second", full.backup),
    ]
    assert main([*opened, "--within", "database_backups/other/", "list", "-o", "json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_without_a_key_names_are_seen_and_nothing_is_read(
    vault: Vault, opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = vault.keep(b"full")
    keyless = opened[:2]
    assert main([*keyless, "list"]) == 0
    assert full.backup in capsys.readouterr().out
    assert main([*keyless, "export", full.backup, "--to", str(tmp_path / "out")]) == 4
    assert "--escrow" in capsys.readouterr().err


def test_a_damaged_backup_is_named_and_so_is_what_builds_on_it(
    vault: Vault, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    full = vault.keep(os.urandom(PART_BYTES + 1))
    one, alone = vault.keep(b"one", full), vault.keep(b"alone")
    assert main([*opened, "verify"]) == 0
    capsys.readouterr()
    key = f"{vault.place(full.backup)}{full.attempt}/000001"
    vault.store.delete(key)
    for quick in ((), ("--quick",)):
        assert main([*opened, "verify", *quick, "-o", "json"]) == 1
        told = {each["backup"]: each["verdict"] for each in json.loads(capsys.readouterr().out)}
        assert told == {
            full.backup: f"backup {full.backup}: part 000001 is missing",
            one.backup: f"backup {full.backup}: part 000001 is missing",
            alone.backup: "good",
        }


def test_another_master_key_opens_nothing_and_says_so(
    vault: Vault, opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.keep(b"full")
    (tmp_path / "other").write_bytes(bytes(32))
    assert main([*opened[:2], "--master-key", str(tmp_path / "other"), "verify"]) == 1
    assert "is not wrapped by this master key" in capsys.readouterr().out


def test_a_backup_is_exported_with_its_sums(
    vault: Vault, opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = vault.keep(b"full" * 1000)
    one = vault.keep(b"one", full, strategy="mariabackup-incremental")
    out = tmp_path / "out"
    assert main([*opened, "export", one.backup, "--to", str(out)]) == 0
    streams = [f"0-{full.backup}.mbstream", f"1-{one.backup}.mbstream"]
    assert [(out / each).read_bytes() for each in streams] == [b"full" * 1000, b"one"]
    said = capsys.readouterr().out
    assert all(each in said for each in streams)
    assert main([*opened, "export", one.backup, "--to", str(out)]) == 4
    assert "is not empty" in capsys.readouterr().err


def test_nothing_damaged_is_exported(vault: Vault, opened: list[str], tmp_path: Path) -> None:
    full = vault.keep(b"full")
    file = tmp_path / "objects" / vault.place(full.backup) / full.attempt / "000000"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert main([*opened, "export", full.backup, "--to", str(tmp_path / "out")]) == 1
    assert not list((tmp_path / "out").glob("0-*"))


def test_what_is_not_there_is_said(opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*opened, "verify", "nothing"]) == 3
    assert "there is no backup with the id nothing" in capsys.readouterr().err
    assert main(["list"]) == 4
    assert "--store" in capsys.readouterr().err
    assert main(["serve", str(tmp_path)]) == 3


def test_root_is_told_at_once_that_no_server_runs_as_it(
    vault: Vault,
    opened: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full = vault.keep(b"full")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert main([*opened, "restore", full.backup, "--to", str(tmp_path / "out")]) == 4
    assert "do this as the user that it is to run as" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_deployments_own_user_needs_no_escrow(vault: Vault, tmp_path: Path) -> None:
    full = vault.keep(b"full")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "master.key").write_bytes(MASTER)
    words = ["--state", str(tmp_path), "backup", "export", full.backup, "--to", str(tmp_path / "out")]
    assert run(COMMANDS, words) == 0
    assert (tmp_path / "out" / f"0-{full.backup}.mbstream").read_bytes() == b"full"


def test_a_deployment_that_has_lost_its_key_is_told_what_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--state", str(tmp_path), "backup", "export", "any", "--to", str(tmp_path / "out")]
    assert run(COMMANDS, words) == 3
    assert "there is no deployment" in capsys.readouterr().err
    (tmp_path / "argosy.toml").touch()
    assert run(COMMANDS, words) == 3
    assert "master.key is gone: put back the copy of this deployment, or use argosy-restore" in capsys.readouterr().err


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_archived_log_is_verified_with_the_backups(
    vault: Vault, opened: list[str], capsys: pytest.CaptureFixture[str], lost: int
) -> None:
    vault.keep(b"full")
    place = vault.keep_log({"log.000001": os.urandom(3000), "log.000002": os.urandom(2000)}, 1000)
    assert main([*opened, "verify", "-o", "json"]) == 0
    assert [each["verdict"] for each in json.loads(capsys.readouterr().out)] == ["good", "good"]
    vault.store.delete([key for key in vault.store.list(place) if not key.endswith(".json")][lost])
    assert main([*opened, "verify", "-o", "json"]) == 1
    [_, log] = json.loads(capsys.readouterr().out)
    assert log["backup"] == f"log 1 of instance {place.split('/')[3]}"
    assert "has a gap from" in log["verdict"]
