"""Hands the first users' logins to whoever started Argosy."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path

from argosy.client.credentials import Credentials, Login, default_file
from argosy.launcher.forks import fork
from argosy.settings import Settings


def file(deployment: Settings) -> Path:
    """Where the first users' passwords rest, for root and the unprivileged processes only."""
    return deployment.keys / "logins.json"


def hand_out(deployment: Settings) -> None:
    """Put them into the credential file of this user, and of the one who called sudo."""
    if not file(deployment).exists():
        return
    url, region = deployment.identity.url, deployment.identity.region
    found = [
        Login(url, each["username"], each["password"], each["project"], region)
        for each in json.loads(file(deployment).read_text())
    ]

    def keep(credentials: Credentials) -> None:
        for login in found:
            credentials.keep_login(str(deployment.state), login)

    _everywhere(keep)


def take_back(state: Path) -> None:
    """Remove what the same files know of a deployment that is gone."""
    _everywhere(lambda credentials: credentials.drop_deployment(str(state)))


def _everywhere(change: Callable[[Credentials], None]) -> None:
    change(Credentials(default_file(os.environ)))
    asker = sudo_user(os.environ)
    if asker is None:
        return
    theirs = Credentials(default_file({"XDG_CONFIG_HOME": f"{asker.pw_dir}/.config"}))

    def as_them() -> int:
        change(theirs)
        return 0

    # As that user: root follows no link in a directory of somebody else's.
    os.waitpid(fork(as_them, user=asker), 0)


def sudo_user(environment: Mapping[str, str]) -> pwd.struct_passwd | None:
    name = environment.get("SUDO_USER", "root")
    if os.geteuid() != 0 or name == "root":
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
