"""What the guest was given: who it is and whom to call (boot.json), and where its server lives (site.json)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.model.guest import Identity, Site, TlsMode


class BadBoot(errors.Broken):
    """what the provider wrote for this guest cannot be used: it is written again when the guest is rebuilt"""


@dataclass(frozen=True)
class Boot:
    guest: str
    generation: int
    engine: str
    version: str
    conductors: tuple[str, ...]
    """base URLs, tried in turn"""
    authority: str
    """PEM of the only authority that conductors are known by"""
    token: str
    heartbeat_seconds: float

    @property
    def identity(self) -> Identity:
        return Identity(self.guest, self.generation)


def boot(directory: Path) -> Boot:
    """Raises BadBoot."""
    told = _read(directory / "boot.json")
    try:
        return Boot(
            guest=str(told["guest"]),
            generation=int(told["generation"]),
            engine=str(told["engine"]),
            version=str(told["version"]),
            conductors=tuple(str(url).rstrip("/") for url in told["conductors"]),
            authority=str(told["authority"]),
            token=str(told["token"]),
            heartbeat_seconds=float(told.get("heartbeat_seconds", 10.0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadBoot(f"{directory / 'boot.json'} cannot be used: {error!r}") from error


def site(directory: Path) -> Site:
    """As it is now: it is written again when the guest is resized. Raises BadBoot."""
    told = _read(directory / "site.json")
    try:
        return Site(
            root=Path(told["root"]),
            data=Path(told["data"]),
            state=Path(told["state"]),
            address=str(told["address"]),
            port=int(told["port"]),
            memory=int(told["memory"]),
            vcpus=float(told["vcpus"]),
            volume=int(told["volume"]),
            tls=TlsMode(told.get("tls", TlsMode.ENFORCED)),
            names=tuple(str(name) for name in told.get("names", ())),
            before=Path(told["before"]) if told.get("before") else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadBoot(f"{directory / 'site.json'} cannot be used: {error!r}") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise BadBoot(f"{file} cannot be read: {error}") from error
    if not isinstance(told, dict):
        raise BadBoot(f"{file} must hold an object")
    return told
