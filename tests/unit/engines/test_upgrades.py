"""From which version to which, and what that takes."""

from __future__ import annotations

import pytest

from argosy.engines import registry
from argosy.engines.upgrades import Jump


@pytest.mark.parametrize(
    ("engine", "before", "after", "jump"),
    [
        ("postgresql", "15.18", "15.20", Jump.MINOR),
        ("postgresql", "15.18", "17.10", Jump.MAJOR),
        ("postgresql", "9.6.24", "15.18", Jump.MAJOR),
        ("postgresql", "15.9", "15.10", Jump.MINOR),
        ("postgresql", "15.18", "15.18", Jump.NONE),
        ("postgresql", "17.10", "15.20", Jump.NONE),
        ("mysql", "10.11.18", "10.11.19", Jump.MINOR),
        ("mysql", "10.11.19", "11.4.5", Jump.NONE),
        ("redis", "7.0.11", "7.0.15", Jump.MINOR),
        ("redis", "6.2.14", "7.0.15", Jump.NONE),
        ("redis", "7.0.15", "7.0.11", Jump.NONE),
        ("redis", "7.0.15", "9.1.2-valkey", Jump.MAJOR),
        ("redis", "7.2.5", "7.2.5-valkey", Jump.MAJOR),
        ("redis", "7.4.0", "9.1.2-valkey", Jump.NONE),
        ("redis", "9.1.1-valkey", "9.1.2-valkey", Jump.MINOR),
        ("redis", "7.2.5-valkey", "7.2.9", Jump.NONE),
    ],
)
def test_jump(engine: str, before: str, after: str, jump: Jump) -> None:
    assert registry.get(engine).jump(before, after) is jump
