"""Where an instance comes from, as people are told."""

from typing import Any

import pytest

from argosy.cli.db.life import tell

NOTHING = {"time": None, "transaction": "", "position": "", "before_statement": ""}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (None, "nightly"),
        (NOTHING, "nightly, then on to the end of the log"),
        ({**NOTHING, "time": 1_700_000_000.0}, "nightly, then on to 2023-11-14T22:13:20"),
        ({**NOTHING, "transaction": "0-1-4711"}, "nightly, then on to 0-1-4711"),
    ],
)
def test_a_moment_is_told_with_the_backup(
    target: dict[str, Any] | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"name": "m", "id": "i", "status": "ACTIVE", "datastore": {"type": "redis"}, "flavor": {"id": "1"}}
    tell({**made, "created": "then", "restored_from": {"name": "nightly", "target": target}}, "table")
    assert f"restored from  {told}\n" in capsys.readouterr().out
