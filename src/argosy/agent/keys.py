"""This guest's credential: traded for the one-time token, kept in a file, shown at every door."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from argosy.agent.boot import Boot
from argosy.agent.door import Door, Refused
from argosy.engines import files
from argosy.model import wire

log = logging.getLogger(__name__)


class Keys:
    def __init__(self, directory: Path, boot: Boot, doors: list[Door]) -> None:
        self._file = directory / "credential"
        self._boot = boot
        self._doors = doors
        self._turn = 0
        self._credential = self._read()

    @property
    def door(self) -> Door:
        """The conductor whose turn it is."""
        return self._doors[self._turn % len(self._doors)]

    def trust(self, authority: str) -> None:
        """Know conductors by these authorities (PEM) from the next connection on."""
        for door in self._doors:
            door.trust(authority)

    def next_door(self) -> None:
        """The one before did not answer."""
        self._turn += 1

    def credential(self) -> str:
        """Enrols where there is none yet. Raises Lost, Refused."""
        return self._credential or self.enrol()

    def enrol(self) -> str:
        """Trade the one-time token for a credential. Raises Refused when it was used before."""
        request = {"guest": self._boot.guest, "generation": self._boot.generation, "token": self._boot.token}
        try:
            return self._keep(self.door.post("/v1/enrol", request))
        except Refused as error:
            raise Refused("the conductor refuses credential and token: this guest must be rebuilt") from error

    def rotate(self) -> None:
        """Another credential; showing it once makes the one before worthless."""
        self._keep(self.post("/v1/guest/credential"))
        self.post("/v1/guest/proof")

    def post(self, path: str) -> Any:
        return self.door.post(path, {}, self.credential())

    def put(self, path: str, data: bytes) -> None:
        self.door.put(path, data, self.credential())

    def _keep(self, enrolled: Any) -> str:
        credential = wire.parse(wire.Enrolled, enrolled).credential
        files.write(self._file, credential)
        files.sync_directory(self._file.parent)
        self._credential = credential
        return credential

    def _read(self) -> str:
        """Empty when there is none, or none that can be read: then the token may still be good."""
        try:
            credential = self._file.read_text().strip() if self._file.exists() else ""
        except (OSError, ValueError) as error:
            log.error("the credential %s cannot be read, enrolling again: %s", self._file, error)  # noqa: TRY400 - the cause is in it
            return ""
        return credential if credential.isascii() and credential.isprintable() else ""
