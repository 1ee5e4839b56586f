"""Backups in a store over SFTP are read by what section [store] of the settings says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import salvaging

from argosy.testing import sftp_server
from argosy.testing.sftp_server import USER, Sftp


@pytest.fixture(scope="module")
def server() -> Iterator[Sftp]:
    with sftp_server.running() as running:
        yield running


def test_a_chain_is_listed_verified_and_exported(
    server: Sftp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f'kind = "sftp"\nurl = "sftp://127.0.0.1:{server.port}"\nbucket = "{server.data}"\nprefix = "p/"'
    credentials = f"user = '{USER}'\nprivate_key = '''\n{server.private_key}'''\n"
    salvaging.configure(tmp_path, f"{place}\nhost_key = '''\n{server.known}'''", credentials)
    salvaging.prove(tmp_path, capsys)
