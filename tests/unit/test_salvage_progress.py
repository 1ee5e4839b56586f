"""How far it is, in words."""

import pytest

from argosy.salvage.progress import line


@pytest.mark.parametrize(
    ("done", "total", "seconds", "told"),
    [
        (0, 100_000_000, 0.0, "0 of 100 MB, 0 %, 0 MB/s"),
        (50_000_000, 100_000_000, 2.0, "50 of 100 MB, 50 %, 25 MB/s, 2 s left"),
        (100_000_000, 100_000_000, 4.0, "100 of 100 MB, 100 %, 25 MB/s"),
        (0, 0, 1.0, "0 of 0 MB, 100 %, 0 MB/s"),
    ],
)
def test_a_line(done: int, total: int, seconds: float, told: str) -> None:
    assert line(done, total, seconds) == told
