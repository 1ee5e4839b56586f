"""The servers of the local provider keep what every provider promises."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from argosy.providers.base import Provider
from argosy.testing import local_sites
from argosy.testing.contracts.compute import ComputeContract


class TestPlain(ComputeContract):
    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        with local_sites.site(walled=False) as site:
            yield site


@pytest.mark.skipif(os.geteuid() != 0, reason="users, control groups and the sandbox need root")
class TestWalled(ComputeContract):
    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        with local_sites.site(walled=True) as site:
            yield site
