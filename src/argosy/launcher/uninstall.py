"""Take a deployment away: its databases with their data, its volumes, addresses and users, and the state directory."""

from __future__ import annotations

import shutil
import time

from argosy import clock, errors
from argosy.cli.place import SYSTEM_STATE, Place
from argosy.launcher import account, down, logins, processes, unit
from argosy.settings import Settings

PATIENCE = 15.0
"""Seconds that processes have to end after they were told to."""


def uninstall(place: Place, deployment: Settings) -> list[str]:
    """What was taken away, for people. Safe to call again after a crash in it. Raises CloudBusy while something of it
    is in use.
    """
    down.down(deployment)
    _teardown(deployment)
    shutil.rmtree(deployment.state)
    logins.take_back(deployment.state)
    told = [f"{deployment.state} with every database and all their data"]
    return told + (_from_the_system(place, deployment) if deployment.provider.level == "root" else [])


def _teardown(deployment: Settings) -> None:
    """Tried again for a while: what a database was just doing may still be ending, and writing."""
    from argosy.providers.local.teardown import teardown

    limit = clock.monotonic() + PATIENCE
    while True:
        try:
            teardown(deployment)
        except (errors.CloudBusy, errors.CloudFailed):
            if clock.monotonic() > limit:
                raise
            time.sleep(0.5)
        else:
            return


def _from_the_system(place: Place, deployment: Settings) -> list[str]:
    unit.remove(deployment.state)
    if others(place) or not account.remove():
        return []
    return [f"the system user {account.NAME}"]


def others(place: Place) -> bool:
    """Whether another deployment of root's may need the system user."""
    user = account.find()
    return SYSTEM_STATE.exists() or bool(user and processes.of_user(user.pw_uid)) or bool(place.credentials.states())
