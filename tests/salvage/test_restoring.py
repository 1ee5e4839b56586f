"""Real backups of real servers come back by the store and the escrow alone, and a real server runs on them."""

from __future__ import annotations

import random
import uuid

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
def test_a_chain_is_restored_and_served(archive: Archive, salvor: Salvor, chain: str) -> None:
    engine, *strategies = CHAINS[chain]
    kept = archive.chain(engine, *strategies)
    place, port = salvor.home / f"restored-{uuid.uuid4().hex[:6]}", random.randint(20000, 30000)
    root = str(archive.found(engine).root)
    salvor.run("restore", kept[-1].backup, "--to", str(place), "--engine-root", root, "--port", str(port))
    with salvor.served(place, kept[0].engine, port) as tenant:
        assert [tenant.read(f"key {n}") for n in range(len(kept))] == [f"value {n}" for n in range(len(kept))]
        assert tenant.read("later") is None
        tenant.write("new", "accepted")


def test_another_series_is_refused_with_what_would_do(archive: Archive, salvor: Salvor) -> None:
    [*_, last] = archive.chain("postgresql 15", "basebackup", "incremental")
    later = str(archive.found("postgresql 17").root)
    said = salvor.run("restore", last.backup, "--to", "elsewhere", "--engine-root", later, status=3)
    assert f"is of PostgreSQL {last.version}" in said
    assert "install the same series" in said
    assert not (salvor.home / "elsewhere").exists()
