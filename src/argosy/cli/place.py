"""Which deployment a command means, and who asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, settings
from argosy.client.credentials import Credentials, Login, default_file

if TYPE_CHECKING:
    from argosy.client.resources import Client

SYSTEM_STATE = Path("/var/lib/argosy")
"""Where root's deployment is unless told otherwise."""


class NoLogin(errors.Rejected):
    """no deployment known: start one by `argosy up`, or set the OS_* variables"""

    status = 401


@dataclass(frozen=True)
class Place:
    told: Path | None
    """the state directory, where the caller named one"""

    @property
    def state(self) -> Path:
        """The deployment that up, down and status mean: this user's, or root's where this user has none."""
        own = self.told or settings.default_state(os.environ, root=os.geteuid() == 0)
        others = self.told is None and not own.exists() and SYSTEM_STATE.exists()
        return SYSTEM_STATE if others else own

    @property
    def credentials(self) -> Credentials:
        return Credentials(default_file(os.environ))


def located(place: Place, environment: Mapping[str, str]) -> tuple[str, Login]:
    """The login, and the state directory that it is kept under, empty where it comes from OS_* variables alone.

    The OS_* variables hold, unless another deployment is named. Raises NoLogin.
    """
    told = from_environment(environment)
    state, kept = _kept(place)
    if told is not None and (place.told is None or kept is None or kept.auth_url == told.auth_url):
        return state if kept and kept.auth_url == told.auth_url else "", told
    if kept is None:
        raise NoLogin(f"no login known for {place.told}: argosy up makes one" if place.told else "")
    return state, kept


def from_environment(environment: Mapping[str, str]) -> Login | None:
    needed = ("OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME")
    if not all(environment.get(name) for name in needed):
        return None
    auth_url, username, password, project = (environment[name] for name in needed)
    region = environment.get("OS_REGION_NAME") or Login.region
    domain = environment.get("OS_USER_DOMAIN_NAME") or Login.domain
    return Login(auth_url, username, password, project, region, domain)


def _kept(place: Place) -> tuple[str, Login | None]:
    states = [str(place.told)] if place.told else [str(place.state), str(SYSTEM_STATE)]
    logins = {state: place.credentials.login(state) for state in states}
    return next(((state, found) for state, found in logins.items() if found), ("", None))


def connect(place: Place) -> Client:
    """Raises NoLogin."""
    from argosy.client.resources import Client
    from argosy.client.session import Session

    return Client(Session(located(place, os.environ)[1]))
