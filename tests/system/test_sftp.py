"""The whole product with its objects in a directory of another machine, which OpenSSH's own server lets us into."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from keepers import Keeper
from owners import Owner

from argosy.stores import deployment
from argosy.testing import sftp_server
from argosy.testing.deployments import Deployment
from argosy.testing.sftp_server import USER
from argosy.testing.waiting import eventually

ENGINE = "mariadb"


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    with sftp_server.running() as server:
        url = f"sftp://127.0.0.1:{server.port}"
        store = {"kind": "sftp", "url": url, "bucket": str(server.data), "host_key": server.known}
        with Deployment(level="root", backups={"drills": "off"}, store=store) as running:
            keep_credentials(running, server.private_key)
            yield running


def keep_credentials(argosy: Deployment, private_key: str) -> None:
    keys = argosy.settings.keys
    file, owner = keys / "store.toml", keys.stat()
    file.touch(mode=0o600)
    os.chown(file, owner.st_uid, owner.st_gid)
    file.write_text(f"user = {json.dumps(USER)}\nprivate_key = {json.dumps(private_key)}\n")


def test_a_backup_goes_there_and_back(argosy: Deployment, owner: Owner) -> None:
    keeper = Keeper(owner)
    assert "sftp" in argosy.cli("store", "check").stdout
    instance = owner.ready(ENGINE)
    keeper.write(instance, ENGINE, 100)
    backup = keeper.backed_up(instance)
    assert keeper.rows(keeper.restored(backup, ENGINE), ENGINE) == 100
    keeper.delete(backup["id"])
    store = deployment.store(argosy.settings)
    eventually(lambda: not [key for key in store.list("database_backups/") if backup["id"] in key], within=60)
