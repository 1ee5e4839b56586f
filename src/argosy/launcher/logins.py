"""Hands the first users' logins to whoever started Argosy."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterable, Mapping
from pathlib import Path

from argosy.client.credentials import Credentials, Login, default_file
from argosy.launcher.forks import fork
from argosy.settings import Settings


def file(deployment: Settings) -> Path:
    """Where the first users' passwords rest, for root and the unprivileged processes only."""
    return deployment.keys / "logins.json"


def auth_url(deployment: Settings) -> str:
    identity = deployment.identity
    return identity.auth_url or f"http://{identity.host}:{identity.port}/v3"


def hand_out(deployment: Settings) -> None:
    """Put them into the credential file of this user, and of the one who called sudo."""
    if not file(deployment).exists():
        return
    url, region = auth_url(deployment), deployment.identity.region
    found = [
        Login(url, each["username"], each["password"], each["project"], region)
        for each in json.loads(file(deployment).read_text())
    ]
    keep(Credentials(default_file(os.environ)), str(deployment.state), found)
    asker = sudo_user(os.environ)
    if asker is not None:
        _for(asker, str(deployment.state), found)


def keep(credentials: Credentials, state: str, found: Iterable[Login]) -> None:
    for login in found:
        credentials.keep_login(state, login)


def sudo_user(environment: Mapping[str, str]) -> pwd.struct_passwd | None:
    name = environment.get("SUDO_USER", "root")
    if os.geteuid() != 0 or name == "root":
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _for(user: pwd.struct_passwd, state: str, found: Iterable[Login]) -> None:
    """As that user: root follows no link in a directory of somebody else's."""
    credentials = Credentials(Path(user.pw_dir) / ".config" / "argosy" / "credentials.json")

    def hand_over() -> int:
        keep(credentials, state, found)
        return 0

    os.waitpid(fork(hand_over, user=user), 0)
