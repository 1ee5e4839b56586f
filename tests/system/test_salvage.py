"""The whole deployment is lost but for its store and the escrow of its key: its databases are had again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from keepers import COUNT, Keeper
from owners import Owner
from recoverers import READ, WRITE, Recoverer
from salvors import PASSPHRASE, Salvor

from argosy import clock
from argosy.testing import claims
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

ENGINES = {"postgresql": "postgresql", "mariadb": "mysql", "redis": "redis"}
TRIED = list(ENGINES) if os.environ.get("ARGOSY_SOAK") else ["postgresql"]
"""Every strategy of each is tried without a deployment by tests/salvage/."""


@pytest.fixture
def salvor() -> Iterator[Salvor]:
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as home:
        yield Salvor(Path(home))


@pytest.fixture
def port() -> int:
    return claims.port()


@pytest.mark.parametrize("engine", TRIED)
def test_what_the_api_took_is_restored_without_it(
    argosy: Deployment, owner: Owner, salvor: Salvor, port: int, engine: str
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
    salvor.run("restore", backup["id"], "--to", str(salvor.home / "had"), "--port", str(port))
    with salvor.served(salvor.home / "had", ENGINES[engine], port) as tenant:
        told = tenant.run(COUNT[engine])
        assert (told if isinstance(told, int) else int(told[0][0])) == rows


@pytest.mark.parametrize("engine", TRIED)
def test_moments_since_are_had_without_it(
    argosy: Deployment, owner: Owner, salvor: Salvor, port: int, engine: str
) -> None:
    writer, door = Recoverer(owner, engine, owner.ready(engine)), owner.door
    writer.prepare()
    writer.enable()
    moments = []
    for number in range(20):
        door(writer.instance).ask(WRITE[engine].format(it=number))
        moments.append(time.time())
        time.sleep(2.5 if number == 9 else 0)  # some engines tell moments in seconds, and stop one before
    eventually(lambda: clock.moment(writer.seen()["latest"]) > moments[-1] + 1, within=60)
    _take_away(argosy, salvor)
    listed = json.loads(salvor.run("list", "-o", "json"))
    [base] = [each["backup"] for each in listed if each["instance"] == writer.instance["id"]]
    between = datetime.fromtimestamp(moments[9] + 1.5, UTC).isoformat()
    for onward, rows in ((("--at", between), 10), (("--latest",), 20)):
        place = salvor.home / f"{rows}"
        salvor.run("restore", base, "--to", str(place), "--port", str(port), *onward)
        with salvor.served(place, ENGINES[engine], port) as tenant:
            assert _numbers(tenant.run(READ[engine])) == rows
    _lose_a_piece(salvor, writer.instance["id"])
    said = salvor.run("restore", base, "--to", str(salvor.home / "gap"), "--latest", status=1)
    assert "of the archived log has a gap from" in said
    salvor.run("serve", str(salvor.home / "gap"), status=3)


def _lose_a_piece(salvor: Salvor, instance: str) -> None:
    """In the middle of a file of its log."""
    pieces = sorted(salvor.home.glob(f"objects/*/*/archive/{instance}/*/*.????????????????????"))
    [*_, middle, _] = [each for each in pieces if each.name.rpartition(".")[0] == pieces[-1].name.rpartition(".")[0]]
    middle.unlink()


def _numbers(told: Any) -> int:
    """How many: Redis counts, the others tell them."""
    return told if isinstance(told, int) else len(told[0][0].split())


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
