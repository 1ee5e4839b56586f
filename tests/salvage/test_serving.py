"""What is said of a restored server that does not stay."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy import errors
from argosy.model.guest import Health
from argosy.salvage import serving


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            '"root" execution of the PostgreSQL server is not permitted.\nThe server must be\nstarted otherwise.\n',
            "root",
        ),
        (
            "[Note] begins\n[ERROR] Can't start server: Bind on TCP/IP port\n[ERROR] Aborting\n[Note] ends",
            "Bind on TCP",
        ),
        ("all went well\n", "all went well"),
        ("", "it said nothing"),
    ],
)
def test_a_server_that_ends_is_told_in_its_own_words(tmp_path: Path, said: str, told: str) -> None:
    (tmp_path / "server.log").write_text(said)
    silent: Any = SimpleNamespace(probe=lambda: SimpleNamespace(health=Health.DOWN, message="[Errno 2] no socket"))
    with subprocess.Popen(["/bin/false"]) as server:
        server.wait()
        with pytest.raises(errors.GuestFailed, match=told) as refused:
            serving._await(silent, server, tmp_path)
    assert "exit code 1" in refused.value.message
    assert "[Errno 2]" not in refused.value.message
