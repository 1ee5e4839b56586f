"""Ports that deployments choose, and that those of tests hold against each other."""

import multiprocessing

import pytest

from argosy.launcher import ports
from argosy.settings import Provider
from argosy.testing import claims
from argosy.testing.claims import Claim

SOME = claims.BLOCK // 5


def test_no_public_database_is_given_what_a_deployment_chooses() -> None:
    first, _, last = Provider.publish_ports.partition("-")
    assert claims.FIRST_PORTS.stop <= int(first)
    assert int(last) < ports.LOWEST


def test_no_port_is_given_twice() -> None:
    """Neither to one process, whose server listens much later, nor to two."""
    with multiprocessing.get_context("spawn").Pool(1) as other:
        elsewhere = other.apply(_some)
        here = _some()
    assert len({*here, *elsewhere}) == 2 * SOME


def _some() -> list[int]:
    return [claims.port() for _ in range(SOME)]


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
