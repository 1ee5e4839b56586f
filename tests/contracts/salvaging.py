"""What argosy-restore makes of a chain that lies in any object store: whole, and then with a part that was cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argosy import settings
from argosy.salvage.main import main
from argosy.stores import deployment
from argosy.stores.frames import HEADER
from argosy.testing.archives import Vault

MASTER = bytes(range(32))


def configure(home: Path, section: str, credentials: str) -> None:
    """As an operator does it: `section` is [store] of the settings."""
    file, opener = home / "argosy.toml", home / "keys" / "store.toml"
    file.write_text(f"[api]\nport = 1\n[store]\n{section}\n")
    opener.parent.mkdir()
    opener.touch(0o600)
    opener.write_text(credentials)


def prove(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A chain is listed, verified and exported by the settings in `home`, and what is damaged is named."""
    (home / "master.key").write_bytes(MASTER)
    opened = ["--settings", str(home / "argosy.toml"), "--master-key", str(home / "master.key")]
    store = deployment.store(settings.load(home, {}))
    vault = Vault(store, MASTER)
    full = vault.keep(b"full" * 1000)
    one = vault.keep(b"one", full)
    assert main([*opened, "list", "-o", "json"]) == 0
    assert {each["backup"] for each in json.loads(capsys.readouterr().out)} == {full.backup, one.backup}
    assert main([*opened, "verify"]) == 0
    assert main([*opened, "export", one.backup, "--to", str(home / "out")]) == 0
    assert (home / "out" / f"0-{full.backup}.mbstream").read_bytes() == b"full" * 1000
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
