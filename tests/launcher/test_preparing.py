"""What must be there before the processes start."""

from pathlib import Path

import pytest

from argosy.launcher import preparing
from argosy.launcher.preparing import KEYS, LostKey


@pytest.mark.parametrize("lost", KEYS)
def test_a_lost_key_is_not_replaced_in_silence(tmp_path: Path, lost: str) -> None:
    """A new one would make guests, clients and what rests sealed worth nothing."""
    for name in set(KEYS) - {lost}:
        (tmp_path / name).touch()
    with pytest.raises(LostKey, match=lost):
        preparing.require_keys(tmp_path, written=True)


def test_the_first_start_has_none(tmp_path: Path) -> None:
    preparing.require_keys(tmp_path, written=False)
