"""Backups in a store over SFTP are read by what section [store] of the settings says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import settings
from argosy.salvage.main import main
from argosy.stores import deployment
from argosy.stores.frames import HEADER
from argosy.testing import sftp_server
from argosy.testing.archives import Vault
from argosy.testing.sftp_server import USER, Sftp

MASTER = bytes(range(32))


@pytest.fixture(scope="module")
def server() -> Iterator[Sftp]:
    with sftp_server.running() as running:
        yield running


@pytest.fixture
def opened(server: Sftp, tmp_path: Path) -> list[str]:
    """How argosy-restore is told where backups lie."""
    file, opener = tmp_path / "argosy.toml", tmp_path / "keys" / "store.toml"
    section = f'kind = "sftp"\nurl = "sftp://127.0.0.1:{server.port}"\nbucket = "{server.data}"\nprefix = "p/"\n'
    file.write_text(f"[api]\nport = 1\n[store]\n{section}host_key = '''\n{server.known}'''\n")
    opener.parent.mkdir()
    opener.touch(0o600)
    opener.write_text(f"user = '{USER}'\nprivate_key = '''\n{server.private_key}'''\n")
    (tmp_path / "master.key").write_bytes(MASTER)
    return ["--settings", str(file), "--master-key", str(tmp_path / "master.key")]


def test_a_chain_is_listed_verified_and_exported(
    opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = deployment.store(settings.load(tmp_path, {}))
    vault = Vault(store, MASTER)
    full = vault.keep(b"full" * 1000)
    one = vault.keep(b"one", full)
    assert main([*opened, "list", "-o", "json"]) == 0
    assert {each["backup"] for each in json.loads(capsys.readouterr().out)} == {full.backup, one.backup}
    assert main([*opened, "verify"]) == 0
    assert main([*opened, "export", one.backup, "--to", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / f"0-{full.backup}.mbstream").read_bytes() == b"full" * 1000
    part = f"{vault.place(full.backup)}{full.attempt}/000000"
    with store.open(part) as source:
        data = source.read()
    store.delete(part)
    with store.create(part) as out:
        out.write(data[: HEADER + 1])
    capsys.readouterr()
    assert main([*opened, "verify", one.backup, "-o", "json"]) == 1
    [verdict] = json.loads(capsys.readouterr().out)
    assert f"backup {full.backup}: part 000000" in verdict["verdict"]
