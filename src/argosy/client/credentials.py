"""What this user knows: how to log in to deployments, and the passwords of databases. One file that only they read.

`~/.config/argosy/credentials.json` (XDG_CONFIG_HOME is heeded), mode 0600, replaced whole, one writer at a time.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from argosy import errors


class BadCredentials(errors.Broken):
    """the credential file cannot be read"""


@dataclass(frozen=True)
class Login:
    """How one user logs in to one project of one deployment."""

    auth_url: str
    username: str
    password: str = field(repr=False)
    project: str
    region: str = "RegionOne"
    domain: str = "Default"

    @property
    def name(self) -> str:
        """What tells it from the other logins to the same deployment."""
        return f"{self.username}@{self.project}"


def default_file(environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "argosy" / "credentials.json"


class Credentials:
    def __init__(self, file: Path) -> None:
        self.file = file

    def login(self, state: str, name: str = "") -> Login | None:
        """How this user logs in to the deployment in that state directory: as the first one told, or as `name`."""
        told = self._read()["logins"].get(state, {})
        found = told.get(name) if name else next(iter(told.values()), None)
        return Login(**found) if found else None

    def logins(self, state: str) -> list[Login]:
        return [Login(**each) for each in self._read()["logins"].get(state, {}).values()]

    def states(self) -> list[str]:
        """State directories of every deployment that this user has a login for."""
        return sorted(self._read()["logins"])

    def keep_login(self, state: str, login: Login) -> None:
        with self._changed() as told:
            told["logins"].setdefault(state, {})[login.name] = asdict(login)

    def password(self, auth_url: str, instance_id: str) -> str | None:
        """The master password of a database, where this user made or reset it."""
        known: str | None = self._read()["databases"].get(auth_url, {}).get(instance_id)
        return known

    def keep_password(self, auth_url: str, instance_id: str, password: str) -> None:
        with self._changed() as told:
            told["databases"].setdefault(auth_url, {})[instance_id] = password

    def drop_password(self, auth_url: str, instance_id: str) -> None:
        if self.password(auth_url, instance_id) is None:
            return
        with self._changed() as told:
            told["databases"][auth_url].pop(instance_id, None)

    def keep_authority(self, auth_url: str, pem: str, instance_id: str = "") -> Path:
        """The certificate authority of a deployment's databases as a file, for clients that want one; with an
        instance's id the one that its owner brought.
        """
        file = self._authority(auth_url)
        if instance_id:
            file = file.with_name(f"{file.stem}.{instance_id}.pem")
        if not (file.exists() and file.read_text() == pem):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = file.with_suffix(f".{os.getpid()}.new")
            fresh.write_text(pem)
            fresh.replace(file)
        return file

    def drop_deployment(self, state: str) -> None:
        """Forget all of it."""
        urls = {login.auth_url for login in self.logins(state)}
        if not urls:
            return
        with self._changed() as told:
            del told["logins"][state]
            for url in urls:
                told["databases"].pop(url, None)
                self._authority(url).unlink(missing_ok=True)

    def _authority(self, auth_url: str) -> Path:
        place = urlsplit(auth_url)
        return self.file.parent / "authorities" / f"{place.hostname}_{place.port}.pem"

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self.file.read_text())
        except FileNotFoundError:
            told = {}
        except (OSError, ValueError) as error:
            raise BadCredentials(f"{self.file} cannot be read: {error}") from error
        return {"logins": {}, "databases": {}, **told}

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            told = self._read()
            yield told
            self._replace(told)
        finally:
            os.close(lock)

    def _replace(self, told: Mapping[str, Any]) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(told, out, indent=2)
        fresh.replace(self.file)
