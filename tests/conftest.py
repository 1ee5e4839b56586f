"""Tests that share something expensive stay together where tests run side by side (`pytest -n 2 --dist loadgroup`), and
all of them choose their samples by one seed, ARGOSY_SEED, which is printed.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

os.environ.setdefault("ARGOSY_SEED", str(random.randrange(10**6)))  # before others are started that are to have it

LONGEST = ("system", "compat", "contracts", "launcher", "channel", "agent", "api", "workflows")
"""Folders whose tests take long are begun with, so that nobody waits for the last of them."""
TOGETHER = frozenset({"api"})
"""Folders whose tests one process runs: the last of them judges what the others have seen."""


def pytest_report_header() -> str:
    return f"samples by ARGOSY_SEED={os.environ['ARGOSY_SEED']}"


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in this hook of its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item.path)))
    if os.environ.get("PYTEST_XDIST_WORKER"):
        items.sort(key=lambda item: _turn(folder(item.path)))


def group(file: Path) -> str:
    """Of one file, whose deployments and servers its tests share; or of its folder."""
    return folder(file) if folder(file) in TOGETHER else str(file)


def folder(file: Path) -> str:
    return file.relative_to(Path(__file__).parent).parts[0]


def _turn(name: str) -> int:
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
