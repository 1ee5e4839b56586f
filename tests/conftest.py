"""Tests that share something expensive stay together where tests run side by side (`pytest -n 4`), and all of them
choose their samples by one seed, ARGOSY_SEED, which is printed. None is judged by how long a sample takes.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("ARGOSY_SEED", str(random.randrange(10**6)))  # before others are started that are to have it
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # a machine that is busy with other tests tells nothing of ours

LONGEST = ("system", "compat", "contracts", "launcher", "channel", "agent", "api", "workflows")
"""Folders whose tests take long are begun with, so that nobody waits for the last of them."""
TOGETHER = frozenset({"api"})
"""Folders whose tests one process runs: the last of them judges what the others have seen."""


def pytest_report_header() -> str:
    return f"samples by ARGOSY_SEED={os.environ['ARGOSY_SEED']}"


class ByFile(LoadScopeScheduling):
    """The tests of a file, which share its deployments and servers, are for one process; or those of a folder."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return folder(file) if folder(file) in TOGETHER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    config.option.loadscopereorder = False  # it would begin with the files that have most tests: those are the fastest
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER"):
        items.sort(key=lambda item: _turn(folder(item.nodeid)))


def folder(place: str) -> str:
    """Of a test, by its id or file."""
    return place.split("/")[1]


def _turn(name: str) -> int:
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
