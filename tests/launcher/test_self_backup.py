"""The control plane's own state in one file: made while it runs, refused where it would do harm, and put back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.client.resources import Client, Request
from argosy.testing import machines
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

CONTROL_PLANE = ("control.db", "control.db-wal", "control.db-shm", "argosy.toml")


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    return file


def saved(deployment: Deployment, secret: Path) -> Path:
    """Beside the secret, where the deployment's user may write."""
    shutil.chown(secret, Path(deployment.home).owner())
    secret = secret.rename(deployment.home / "secret") if secret.exists() else deployment.home / "secret"
    file = deployment.home / "self.argosy"
    deployment.cli("backup-self", str(file), "--passphrase-file", str(secret))
    return file


def test_an_empty_state_directory_adopts_what_runs(rooted: Deployment, secret: Path) -> None:
    client = rooted.client()
    kept = client.instances.create(Request("kept", "redis", "1", 1))["id"]
    eventually(lambda: client.instances.get(kept)["operating_status"] == "HEALTHY", within=60)
    engine, file = machines.engine_of(kept), saved(rooted, secret)
    client.instances.create(Request("later", "redis", "1", 1))
    rooted.down()
    shutil.rmtree(rooted.state / "keys")
    for name in CONTROL_PLANE:
        (rooted.state / name).unlink(missing_ok=True)
    rooted.bare("restore-self", str(file), "--passphrase-file", str(rooted.home / "secret"))
    rooted.up()
    client = rooted.client()
    assert [each["name"] for each in client.instances.list()] == ["kept"]
    eventually(lambda: client.instances.get(kept)["operating_status"] == "HEALTHY", within=60)
    assert machines.engine_of(kept) == engine
    client.instances.delete(kept)
    eventually(lambda: _gone(client, kept), within=60)


def _gone(client: Client, instance: str) -> bool:
    left = list(client.instances.list())
    assert not left, f"{instance} is still listed: {left}"
    return True


def test_what_runs_is_never_overwritten(own: Deployment, secret: Path) -> None:
    file = saved(own, secret)
    for force in ((), ("--force",)):
        refused = own.cli("restore-self", str(file), "--passphrase-file", str(own.home / "secret"), *force, check=False)
        assert refused.returncode == 4
        assert "argosy down" in refused.stderr


def test_what_is_there_is_laid_aside_only_by_force(own: Deployment, secret: Path) -> None:
    file = saved(own, secret)
    told = ("restore-self", str(file), "--passphrase-file", str(own.home / "secret"))
    own.down()
    try:
        refused = own.cli(*told, check=False)
        assert refused.returncode == 4
        assert "--force" in refused.stderr
        own.cli(*told, "--force")
        (aside,) = own.state.glob("before-*")
        assert {"keys", "argosy.toml", "control.db"} <= {each.name for each in aside.iterdir()}
    finally:
        own.up()
    assert own.client().instances.list() is not None


def test_a_wrong_passphrase_changes_nothing(own: Deployment, secret: Path) -> None:
    file = saved(own, secret)
    own.down()
    before = (own.state / "control.db").read_bytes()
    try:
        (own.home / "wrong").write_text("another passphrase\n")
        refused = own.cli(
            "restore-self", str(file), "--force", "--passphrase-file", str(own.home / "wrong"), check=False
        )
        assert "the passphrase is wrong" in refused.stderr
        assert (own.state / "control.db").read_bytes() == before
        assert not list(own.state.glob("restoring-*"))
    finally:
        own.up()
