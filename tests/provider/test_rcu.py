"""The machine is in a hurry for a moment, and never stays so because of us."""

from pathlib import Path

import pytest

from argosy.providers.local import rcu


@pytest.fixture
def knob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that the machine does not listen to."""
    there = tmp_path / "rcu_expedited"
    there.write_text("0\n")
    monkeypatch.setattr(rcu, "KNOB", there)
    return there


def test_a_hurry_ends_with_its_block_or_with_the_next(knob: Path) -> None:
    with rcu.hurried():
        assert int(knob.read_text()) > 0
    assert int(knob.read_text()) == 0
    knob.write_text(rcu.OURS)
    with rcu.hurried():
        pass
    assert int(knob.read_text()) == 0


def test_an_operators_own_setting_stays(knob: Path) -> None:
    knob.write_text("1\n")
    with rcu.hurried():
        assert int(knob.read_text()) == 1
    assert int(knob.read_text()) == 1


def test_where_there_is_none_nothing_is_different(knob: Path) -> None:
    knob.unlink()
    with rcu.hurried():
        assert not knob.exists()
    assert not knob.exists()
