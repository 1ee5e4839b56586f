"""Every command of every public client, against real engines, and the page that says how it went."""

from __future__ import annotations

import os

import compatibility
import public_clients
import pytest
import stages
from story import Row

pytestmark = pytest.mark.timeout(900)
"""The first test waits for all stories to be played."""


@pytest.mark.parametrize("client", stages.STORIES)
def test_every_call_of(client: str, rows: dict[str, list[Row]]) -> None:
    wrong = [f"{each.called}\n    {each.wrong}" for each in rows[client] if each.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("client", ["openstack", "trove", "openstacksdk"])
def test_no_command_is_forgotten_of(client: str, rows: dict[str, list[Row]]) -> None:
    tried = {each.command for each in rows[client]}
    assert set(public_clients.commands()[client]) - tried == set()


def test_the_page_says_how_it_went(rows: dict[str, list[Row]]) -> None:
    if os.environ.get("ARGOSY_COMPATIBILITY") == "write":
        compatibility.PAGE.write_text(compatibility.page(rows))
    assert compatibility.PAGE.read_text() == compatibility.page(rows), "`make compatibility` writes it anew"
