"""Real backups of real servers come back by the store and the escrow alone, and a real server runs on them."""

from __future__ import annotations

import signal
import uuid
from datetime import UTC, datetime

import pytest
from salvors import Archive, Salvor

CHAINS = {
    "mariabackup": ("mysql", "mariabackup", "mariabackup-incremental"),
    "mysqldump": ("mysql", "mysqldump"),
    "incremental of 15": ("postgresql 15", "basebackup", "incremental"),
    "incremental of 17": ("postgresql 17", "basebackup", "incremental"),
    "rdb": ("redis", "rdb"),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_is_restored_and_served(archive: Archive, salvor: Salvor, port: int, chain: str) -> None:
    engine, *strategies = CHAINS[chain]
    kept = archive.chain(engine, *strategies)
    place = salvor.home / f"restored-{uuid.uuid4().hex[:6]}"
    root = str(archive.found(engine).root)
    salvor.run("restore", kept[-1].backup, "--to", str(place), "--engine-root", root, "--port", str(port))
    with salvor.served(place, kept[0].engine, port) as tenant:
        assert [tenant.read(f"key {n}") for n in range(len(kept))] == [f"value {n}" for n in range(len(kept))]
        assert tenant.read("later") is None
        tenant.write("new", "accepted")


def test_root_restores_and_serves_what_runs_as_root(archive: Archive, salvor: Salvor, port: int) -> None:
    [full] = archive.chain("redis", "rdb")
    place, root = salvor.home / "of-root", salvor.as_root()
    root.run("restore", full.backup, "--to", str(place), "--port", str(port))
    with root.served(place, full.engine, port) as tenant:
        assert tenant.read("key 0") == "value 0"


def test_root_serves_nothing_that_another_user_restored(archive: Archive, salvor: Salvor, port: int) -> None:
    """It would leave files of root's there."""
    [full] = archive.chain("redis", "rdb")
    place, root = salvor.home / "of-another", salvor.as_root()
    salvor.run("restore", full.backup, "--to", str(place), "--port", str(port))
    assert "was restored by another user: do this as that user" in root.run("serve", str(place), status=4)
    assert {each.owner() for each in place.rglob("*")} == {salvor.user}
    with salvor.served(place, full.engine, port) as tenant:
        assert tenant.read("key 0") == "value 0"


@pytest.mark.parametrize("chain", ["mysqldump", "incremental of 15"])
def test_root_is_told_at_once_what_does_not_run_as_root(archive: Archive, salvor: Salvor, chain: str) -> None:
    engine, *strategies = CHAINS[chain]
    [full, *_] = archive.chain(engine, *strategies)
    place = salvor.home / f"refused-{full.engine}"
    said = salvor.as_root().run("restore", full.backup, "--to", str(place), status=4)
    assert "does not run as root: do this as the user that it is to run as" in said
    assert not place.exists()


def test_another_series_is_refused_with_what_would_do(archive: Archive, salvor: Salvor) -> None:
    [*_, last] = archive.chain("postgresql 15", "basebackup", "incremental")
    later = str(archive.found("postgresql 17").root)
    said = salvor.run("restore", last.backup, "--to", "elsewhere", "--engine-root", later, status=3)
    assert f"is of PostgreSQL {last.version}" in said
    assert "install the same series" in said
    assert not (salvor.home / "elsewhere").exists()


def test_a_moment_before_the_backup_is_refused_at_once(archive: Archive, salvor: Salvor) -> None:
    [full, *_] = archive.chain("postgresql 15", "basebackup", "incremental")
    said = salvor.run("restore", full.backup, "--to", "too-early", "--at", "1970-01-01T00:00:00", status=4)
    begun = datetime.fromtimestamp(full.created, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    assert f"the backup was begun later, at {begun}" in said
    assert not (salvor.home / "too-early").exists()


def test_a_server_is_called_as_its_owner_calls_it(archive: Archive, salvor: Salvor, port: int) -> None:
    [full, *_] = archive.chain("mysql", "mariabackup", "mariabackup-incremental")
    salvor.run("restore", full.backup, "--to", "named", "--port", str(port))
    with salvor.start("serve", "named") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{full.datastore} {full.version} answers on 127.0.0.1:{port}\n"
        process.send_signal(signal.SIGINT)
