"""Backups in an object store are read by what section [store] of the settings says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import salvaging

from argosy.testing.swift_server import KEY, USER, Swift

KINDS = {
    "s3": ('kind = "s3"\nurl = "{swift.url}"\naddressing = "path"', "access_key", "secret_key"),
    "swift": ('kind = "swift"\nurl = "{swift.auth_url}"', "user", "password"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_is_verified_and_exported(
    swift: Swift, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    section, user, secret = KINDS[kind]
    place = f'{section.format(swift=swift)}\nbucket = "backups"\nprefix = "{kind}/"'
    salvaging.configure(tmp_path, place, f'{user} = "{USER}"\n{secret} = "{KEY}"\n')
    salvaging.prove(tmp_path, capsys)
