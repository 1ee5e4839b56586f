"""What the command line and the console say alike."""

from __future__ import annotations

import pytest

from argosy.client import words

CHECKED = "2026-11-22T05:10:03"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"state": "unproven", "checked": None, "seconds": None}, "unproven"),
        ({"state": "restorable", "checked": CHECKED, "seconds": 2.7264}, f"restorable, checked {CHECKED}, took 2.73 s"),
        ({"state": "broken", "checked": CHECKED, "seconds": None}, f"broken, checked {CHECKED}"),
    ],
)
def test_whether_a_backup_restores(told: dict[str, object], said: str) -> None:
    assert words.proof(told) == said


def test_what_a_drill_looked_at() -> None:
    told = {"compared": {"tables": 9, "databases": 2}, "checked": 31}
    assert words.report(told) == "checked: 31, compared databases: 2, compared tables: 9"
    assert words.report({}) == ""


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (8_170_000, "8.17 MB"), (2_900_000_000, "2.9 GB")]
)
def test_sizes(count: int, said: str) -> None:
    assert words.size(count) == said
