"""When the owner of a brought certificate is told of its end."""

from __future__ import annotations

import pytest

from argosy.workflows.renew_certificate import warning


@pytest.mark.parametrize(
    ("days", "due"),
    [(31, None), (30, 30), (14.5, 30), (14, 14), (6, 7), (2.9, 3), (0.5, 1), (0, 0), (-5, 0)],
)
def test_the_last_warning_that_is_due(days: float, due: int | None) -> None:
    assert warning(days) == due
