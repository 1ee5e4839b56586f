"""Which way the local provider goes about what needs root."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import settings
from argosy.providers.base import Feature
from argosy.providers.local.layout import Layout
from argosy.providers.local.provider import LocalProvider, Way, way
from argosy.settings import BadSetting


@pytest.mark.parametrize(
    ("level", "root", "helper", "expected"),
    [
        ("auto", True, False, Way.DIRECT),
        ("auto", True, True, Way.DIRECT),
        ("auto", False, True, Way.HELPER),
        ("auto", False, False, Way.PLAIN),
        ("root", True, False, Way.DIRECT),
        ("root", False, False, Way.HELPER),
        ("root", False, True, Way.HELPER),
        ("user", True, True, Way.PLAIN),
        ("user", False, False, Way.PLAIN),
    ],
)
def test_the_way_follows_from_level_and_user(level: str, root: bool, helper: bool, expected: Way) -> None:
    assert way(level, root=root, helper=helper) is expected


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"provider\.level"):
        way("admin", root=True, helper=False)


def test_without_root_nothing_is_claimed_that_does_not_hold(configured: Callable[..., settings.Settings]) -> None:
    assert LocalProvider(configured(level="user")).features == {Feature.TEMPLATE}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize(("network", "isolated"), [("loopback", False), ("namespace", True)])
def test_as_root_the_network_decides_on_isolation(
    configured: Callable[..., settings.Settings], network: str, isolated: bool
) -> None:
    features = LocalProvider(configured(level="root", network=network)).features
    assert {Feature.VOLUME_SIZE, Feature.GROW_ONLINE, Feature.SNAPSHOT, Feature.TEMPLATE} <= features
    assert (Feature.NETWORK_ISOLATION in features) is isolated


def test_namespaces_without_root_are_refused(configured: Callable[..., settings.Settings]) -> None:
    with pytest.raises(BadSetting, match="needs root"):
        LocalProvider(configured(level="user", network="namespace"))


def test_names_on_the_machine_fit_and_tell_deployments_apart(tmp_path: Path) -> None:
    one, other = Layout(tmp_path / "one"), Layout(tmp_path / "other")
    assert len(one.link(0xFFFF)) <= 15
    assert len(one.bridge) <= 15
    assert {one.bridge, one.link(1), one.namespace("x"), one.cgroup}.isdisjoint(
        {other.bridge, other.link(1), other.namespace("x"), other.cgroup}
    )


def test_volumes_without_root_are_nobody_elses(configured: Callable[..., settings.Settings]) -> None:
    provider = LocalProvider(configured(level="user"))
    provider.volumes.owned()
    assert stat.S_IMODE(Layout(provider.settings.state).volumes.stat().st_mode) == 0o700
