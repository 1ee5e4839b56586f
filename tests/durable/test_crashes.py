"""The worker is lost before and after every commit and every outside call; nobody can tell afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import Abandoning, Building, Demolishing, fresh_directory
from sampling import sampled

from argosy.testing import crashes
from argosy.testing.databases import Server

SCENARIOS = (Building, Abandoning, Demolishing)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_lost_at_every_point(scenario: type[Building], server: Server, tmp_path: Path) -> None:
    assert crashes.every_point(lambda: scenario(fresh_directory(tmp_path)), server) >= 15


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_at_every_point(scenario: type[Building], server: Server, tmp_path: Path) -> None:
    crashes.every_kill(lambda: scenario(fresh_directory(tmp_path)), server, sampled(0.25))
