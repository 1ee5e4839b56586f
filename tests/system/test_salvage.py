"""The whole deployment is lost but for its store and the escrow of its key: its databases are had again."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from keepers import COUNT, Keeper
from owners import Owner
from salvors import PASSPHRASE, Salvor

from argosy.testing.deployments import Deployment

ENGINES = {"postgresql": "postgresql", "mariadb": "mysql", "redis": "redis"}
TRIED = list(ENGINES) if os.environ.get("ARGOSY_SOAK") else ["postgresql"]
"""Every strategy of each is tried without a deployment by tests/salvage/."""


@pytest.fixture
def salvor() -> Iterator[Salvor]:
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as home:
        yield Salvor(Path(home))


@pytest.mark.parametrize("engine", TRIED)
def test_what_the_api_took_is_restored_without_it(
    argosy: Deployment, owner: Owner, salvor: Salvor, engine: str
) -> None:
    keeper, instance = Keeper(owner), owner.ready(engine)
    keeper.write(instance, engine, 100)
    backup = keeper.backed_up(instance)
    if engine != "redis":
        argosy.cli("keys", "rotate", "--yes")
        keeper.write(instance, engine, 10)
        backup = keeper.backed_up(instance, "more", parent_id=backup["id"])
    rows = keeper.rows(instance, engine)
    keeper.write(instance, engine, 5)
    _take_away(argosy, salvor)
    assert "good" in salvor.run("verify", backup["id"])
    port = random.randint(20000, 30000)
    salvor.run("restore", backup["id"], "--to", str(salvor.home / "had"), "--port", str(port))
    with salvor.served(salvor.home / "had", ENGINES[engine], port) as tenant:
        told = tenant.run(COUNT[engine])
        assert (told if isinstance(told, int) else int(told[0][0])) == rows


def _take_away(argosy: Deployment, salvor: Salvor) -> None:
    """The store, and the escrow: nothing else."""
    argosy.cli("keys", "export", str(argosy.home / "escrow"), "--passphrase-file", str(_secret(argosy)))
    shutil.move(argosy.home / "escrow", salvor.home / "escrow")
    shutil.copytree(argosy.settings.state / "objects", salvor.home / "objects")


def _secret(argosy: Deployment) -> Path:
    file = argosy.home / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    shutil.chown(file, argosy.home.owner())
    return file
