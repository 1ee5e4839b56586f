import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy import settings
from argosy.providers.local import parts
from argosy.providers.local.teardown import teardown
from argosy.testing.root_helper import short_directory


@pytest.fixture
def state() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


@pytest.fixture
def configured(state: Path) -> Iterator[Callable[..., settings.Settings]]:
    """Settings of a deployment that is taken away after the test."""

    def configure(**provider: object) -> settings.Settings:
        return settings.Settings(state, provider=settings.Provider(**{"pool_gigabytes": 8, **provider}))

    yield configure
    teardown(configure())


@pytest.fixture
def rooted(configured: Callable[..., settings.Settings]) -> parts.Parts:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = parts.as_root(configured())
    made.prepare()
    return made
