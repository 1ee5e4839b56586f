"""What stands in engine roots that not everybody may read."""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.engines import registry
from argosy.launcher import forks
from argosy.providers.local import roots
from argosy.providers.local.roots import Roots
from argosy.testing.root_helper import short_directory

NOBODY = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
"""Root may read everything; anybody else is barred by a mode from what is their own."""


@pytest.fixture
def engines() -> Iterator[Path]:
    with short_directory() as made:
        made.chmod(0o755)
        yield made / "engines"


def unpack(root: Path, version: str) -> Path:
    """Where the programs of a Redis of this version stand."""
    place = root / "bin"
    place.mkdir(parents=True)
    server = place / "redis-server"
    server.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    server.chmod(0o755)
    return place


def seen(directory: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """Versions of Redis, as an ordinary user finds them, and what that user is warned of."""
    warned: list[str] = []
    monkeypatch.setattr(roots, "_warn", warned.append)
    here = Roots(directory, registry.engines())
    told = forks.ask(lambda: json.dumps([[each.version for each in here.catalog()["redis"]], warned]), NOBODY)
    versions, words = json.loads(told)
    return versions, words


def test_a_directory_that_may_not_be_read_is_left_out_with_a_word(
    engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(engines / "redis-old", "6.0.16")
    versions, _warned = seen(engines, monkeypatch)
    assert "6.0.16" in versions
    for barred in (engines, engines.parent):
        mode = barred.stat().st_mode
        barred.chmod(0)
        without, warned = seen(engines, monkeypatch)
        barred.chmod(mode)
        assert without == [each for each in versions if each != "6.0.16"]
        assert f"{engines} cannot be read by the user" in warned[0]


@pytest.mark.parametrize("deep", [False, True])
def test_a_root_that_may_not_be_read_keeps_no_other_from_being_found(
    engines: Path, deep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(engines / "readable", "6.0.16")
    place = unpack(engines / "barred", "6.0.15")
    hidden = place if deep else engines / "barred"
    hidden.chmod(0o600)
    versions, warned = seen(engines, monkeypatch)
    hidden.chmod(0o755)
    assert "6.0.16" in versions
    assert "6.0.15" not in versions
    assert str(hidden) in warned[0]
    assert "chmod -R a+rX" in warned[0]


def test_a_directory_that_nobody_has_made_is_nothing_to_complain_of(engines: Path) -> None:
    assert roots.barred(engines) == ""
    assert roots.barred(Path(__file__)) == ""
