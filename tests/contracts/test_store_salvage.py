"""Backups in an object store are read by what section [store] of the settings says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argosy import settings
from argosy.salvage.main import main
from argosy.stores import deployment
from argosy.stores.frames import HEADER
from argosy.testing.archives import Vault
from argosy.testing.swift_server import KEY, USER, Swift

MASTER = bytes(range(32))
KINDS = {
    "s3": ('kind = "s3"\nurl = "{swift.url}"\naddressing = "path"', "access_key", "secret_key"),
    "swift": ('kind = "swift"\nurl = "{swift.auth_url}"', "user", "password"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_is_verified_and_exported(
    swift: Swift, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    section, user, secret = KINDS[kind]
    file, opener = tmp_path / "argosy.toml", tmp_path / "keys" / "store.toml"
    file.write_text(
        f'[api]\nport = 1\n[store]\n{section.format(swift=swift)}\nbucket = "backups"\nprefix = "{kind}/"\n'
    )
    opener.parent.mkdir()
    opener.touch(0o600)
    opener.write_text(f'{user} = "{USER}"\n{secret} = "{KEY}"\n')
    (tmp_path / "master.key").write_bytes(MASTER)
    store = deployment.store(settings.load(tmp_path, {}))
    vault = Vault(store, MASTER)
    full = vault.keep(b"full" * 1000)
    one = vault.keep(b"one", full)
    opened = ["--settings", str(file), "--master-key", str(tmp_path / "master.key")]
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
