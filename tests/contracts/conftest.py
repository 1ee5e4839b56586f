"""What contracts are tested against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from argosy.testing import swift_server
from argosy.testing.swift_server import Swift


@pytest.fixture(scope="session")
def swift() -> Iterator[Swift]:
    """One for all: who stops it, starts it again; who stores, deletes."""
    with swift_server.running() as running:
        running.post("backups", {}, "PUT")
        yield running
