"""Nobody has a guest start its server on their own: one of the things that it is to be told would be forgotten."""

import re
from pathlib import Path

import pytest

from argosy import workflows

FILES = {file.stem: file.read_text() for file in Path(workflows.__path__[0]).glob("*.py")}
STARTS = ("prepare", "rebuild", "restart", "restore", "start", "upgrade", "write_log")
"""Verbs that a server is started by."""
AS_IT_WAS = {"reboot_server", "resize_flavor"}
"""Their guests start the server by themselves, as they were told last; they are only waited for, and heard."""


@pytest.mark.parametrize("verb", STARTS)
def test_whoever_has_a_server_started_asks_by_way_of_starting(verb: str) -> None:
    alone = re.compile(rf'mailbox\.ask\(\s*ctx,\s*[\w.]+,\s*"{verb}"')
    assert {name for name, text in FILES.items() if alone.search(text)} <= AS_IT_WAS
    assert any(re.search(rf'starting\.ask\(ctx, "{verb}"', text) for text in FILES.values())


def test_whoever_has_a_server_started_tells_what_came_of_it() -> None:
    asking = re.compile(r"starting\.(ask|hear)\(|rebuild_instance\.raise_up\(|restoring\.load\(")
    operations = {name for name, text in FILES.items() if asking.search(text) and "\ndef ready(" in text}
    assert len(operations) >= 10
    assert operations >= AS_IT_WAS
    assert {name for name in operations if "starting.settle(ctx" not in FILES[name]} == set()
