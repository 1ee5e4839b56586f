"""Real backups of real servers come back by the store and the escrow alone, and a real server runs on them."""

from __future__ import annotations

import random

import pytest
from salvors import Salvor, kept_by, recording

from argosy.testing.servers import Farm

CHAINS = {
    "mariabackup": ("mysql", "", ("mariabackup", "mariabackup-incremental", "mariabackup-incremental")),
    "mysqldump": ("mysql", "", ("mysqldump",)),
    "incremental of 15": ("postgresql", "15", ("basebackup", "incremental", "incremental")),
    "incremental of 17": ("postgresql", "17", ("basebackup", "incremental", "incremental")),
    "rdb": ("redis", "", ("rdb",)),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_is_restored_and_served(farm: Farm, salvor: Salvor, chain: str) -> None:
    engine, version, strategies = CHAINS[chain]
    source = recording(farm, engine, version)
    kept = kept_by(source, salvor, strategies)
    place, port = salvor.home / "restored", random.randint(20000, 30000)
    root = str(source.found.root)
    salvor.run("restore", kept[-1].backup, "--to", str(place), "--engine-root", root, "--port", str(port))
    with salvor.served(place, engine, port) as tenant:
        assert [tenant.read(f"key {n}") for n in range(len(strategies))] == [
            f"value {n}" for n in range(len(strategies))
        ]
        assert tenant.read("later") is None
        tenant.write("new", "accepted")
