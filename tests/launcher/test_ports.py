"""Ports that deployments choose, and that those of tests hold against each other."""

import pytest

from argosy.launcher import ports
from argosy.settings import Provider
from argosy.testing.claims import Claim


def test_no_public_database_is_given_what_a_deployment_chooses() -> None:
    assert int(Provider.publish_ports.rpartition("-")[2]) < ports.LOWEST


def test_what_is_claimed_nobody_else_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although nobody listens there yet."""
    first, other = Claim.make(), ports.free_ones()
    chosen = iter([first.ports, other, first.ports])
    monkeypatch.setattr(ports, "free_ones", lambda: next(chosen))
    second = Claim.make()
    assert second.ports == other
    first.let_go()
    third = Claim.make()
    assert third.ports == first.ports
    second.let_go()
    third.let_go()
