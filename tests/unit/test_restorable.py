"""Which servers take what was backed up from which."""

from __future__ import annotations

import pytest

from argosy.engines import registry
from argosy.engines.backups import Strategy
from argosy.workflows import restorable

FILES = Strategy("files", "as they are")
STATEMENTS = Strategy("statements", "that any server runs", logical=True)


@pytest.mark.parametrize(
    ("engine", "strategy", "before", "after", "able"),
    [
        ("postgresql", FILES, "15.18", "15.18", True),
        ("postgresql", FILES, "15.18", "15.19", True),
        ("postgresql", FILES, "15.18", "15.17", False),
        ("postgresql", FILES, "15.18", "17.10", False),
        ("postgresql", STATEMENTS, "15.18", "17.10", True),
        ("postgresql", STATEMENTS, "17.10", "15.18", False),
        ("postgresql", None, "15.18", "15.18", True),
        ("mysql", FILES, "10.11.19", "10.11.20", True),
        ("mysql", FILES, "10.11.19", "11.4.2", False),
        ("mysql", STATEMENTS, "10.11.19", "11.4.2", True),
        ("redis", FILES, "7.0.15", "7.2.4", False),
        ("redis", FILES, "7.2.4", "8.0.1-valkey", False),
    ],
)
def test_taken(engine: str, strategy: Strategy | None, before: str, after: str, able: bool) -> None:
    assert restorable.takes(registry.get(engine), strategy, before, after) is able
