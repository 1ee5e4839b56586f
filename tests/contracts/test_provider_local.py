"""The local provider on both levels, in both network modes, and through the root helper."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy import settings
from argosy.providers.base import Provider
from argosy.providers.local import loops, mounts, parts
from argosy.providers.local.helper.client import Helper, RemoteParts
from argosy.providers.local.layout import Layout
from argosy.providers.local.provider import LocalProvider
from argosy.providers.local.teardown import teardown
from argosy.testing.contracts.networks import NetworksContract
from argosy.testing.contracts.provider import ProviderContract
from argosy.testing.root_helper import helper_process, short_directory

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def configured(state: Path, **provider: object) -> settings.Settings:
    return settings.Settings(
        state, provider=settings.Provider(pool_gigabytes=64, publish_addresses="127.0.0.1", **provider)
    )


@pytest.fixture
def state() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


def torn_down(deployment: settings.Settings) -> None:
    """All of it goes away, and the machine shows no trace."""
    layout = Layout(deployment.state)
    teardown(deployment)
    assert not mounts.under(deployment.state)
    assert not loops.users(layout.pool_image)
    assert layout.deployment not in subprocess.check_output(["ip", "link"], text=True)
    assert layout.deployment not in subprocess.check_output(["ip", "netns"], text=True)
    assert not [path for path in deployment.state.rglob("*") if path.is_file() and path.parent.name != "run"]


class Local(ProviderContract):
    def place(self, provider: Provider, name: str) -> Path:
        return parts.as_root(provider.settings).volumes.attach(name)


@needs_root
class TestRoot(Local):
    @pytest.fixture
    def provider(self, state: Path) -> Iterator[Provider]:
        deployment = configured(state, level="root")
        yield LocalProvider(deployment)
        torn_down(deployment)


class TestUser(ProviderContract):
    @pytest.fixture
    def provider(self, state: Path) -> Iterator[Provider]:
        deployment = configured(state, level="user")
        yield LocalProvider(deployment)
        torn_down(deployment)

    def place(self, provider: Provider, name: str) -> Path:
        return provider.volumes.attach(name)


@dataclass(frozen=True)
class Remote(RemoteParts):
    """What an unprivileged process has; files are looked at by root, as everywhere in these tests."""

    settings: settings.Settings
    name: str = "local"


@needs_root
class TestThroughTheHelper(Local):
    @pytest.fixture
    def provider(self, state: Path) -> Iterator[Provider]:
        with helper_process(state, "daemon"):
            yield Remote(Helper(state / "run" / "helper.sock"), configured(state))
        (state / "argosy.toml").unlink()
        torn_down(configured(state))


@needs_root
class TestNamespaces(NetworksContract):
    @pytest.fixture
    def provider(self, state: Path) -> Iterator[Provider]:
        deployment = configured(state, level="root", network="namespace")
        yield LocalProvider(deployment)
        torn_down(deployment)
