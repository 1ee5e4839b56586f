"""A missing engine is skipped where it may be missing, and nowhere else."""

from __future__ import annotations

import pytest

from argosy.testing import servers


@pytest.mark.parametrize(
    ("required", "outcome"),
    [
        ("", pytest.skip.Exception),
        ("redis", pytest.skip.Exception),
        ("mysql-5.0", pytest.fail.Exception),
        ("redis,mariadb-5.0", pytest.fail.Exception),
        ("mariadb", pytest.fail.Exception),
    ],
)
def test_a_missing_engine(required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ENGINES", required)
    with pytest.raises(outcome, match=r"no server of MySQL and MariaDB 5\.0"):
        servers.require("mysql", "5.0")
