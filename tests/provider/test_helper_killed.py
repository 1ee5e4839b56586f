"""A root helper that is killed in the middle of its work."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors, settings
from argosy.providers import base
from argosy.providers.local.helper import client
from argosy.testing import killing
from argosy.testing.root_helper import helper_process
from argosy.testing.waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

NAME = str(uuid.uuid4())
PORT = base.PortSpec(NAME, "p", 5432)


def deleted(there: client.RemoteParts) -> bool:
    """A sandbox that is being made elsewhere has a copy of all mounts for a moment: who asked is told to ask again."""
    try:
        there.volumes.delete(NAME)
    except errors.CloudBusy:
        return False
    return True


@pytest.mark.parametrize("after", [0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1])
def test_a_helper_killed_at_work_loses_nothing(
    state: Path, configured: Callable[..., settings.Settings], after: float
) -> None:
    """Who asked repeats the verb, and finds things as if nothing had happened."""
    configured()
    there = client.RemoteParts(client.Helper(state / "run" / "helper.sock"))

    def made() -> tuple[base.Volume, base.Port]:
        return there.volumes.ensure(NAME, 1, base.Source()), there.networks.ensure(PORT)

    with helper_process(state, "daemon") as first:
        asking = killing.begun(made)
        killing.kill(first.pid, after)
        os.waitpid(asking, 0)
    with helper_process(state, "daemon"):
        volume, port = made()
        assert (volume.state, port.state) == (base.State.ACTIVE, base.State.ACTIVE)
        eventually(lambda: deleted(there))
        there.networks.delete(NAME)
        assert (there.volumes.owned(), there.networks.owned()) == ([], [])
