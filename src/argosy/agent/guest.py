"""Everything that a verb may touch: the driver of this guest's engine, its init, its conductor, its own files."""

from __future__ import annotations

from pathlib import Path

from argosy import errors
from argosy.agent import boot, restoring
from argosy.agent.boot import Boot
from argosy.agent.keys import Keys
from argosy.agent.service import Service
from argosy.engines import files, registry
from argosy.engines.base import Driver
from argosy.model.guest import TlsMode


class Guest:
    def __init__(self, directory: Path, told: Boot, keys: Keys) -> None:
        self.directory = directory
        self.boot = told
        self.keys = keys
        self.service = Service(directory / "init.sock")
        self.engine = registry.get(told.engine)
        self._driver = self.engine.load_driver()

    def driver(self) -> Driver:
        """A driver for the guest as it is sized now. One per thread: drivers keep connections."""
        return self._driver(boot.site(self.directory))

    def require_whole(self) -> None:
        """Raises Conflict for data that nobody may start a server on."""
        if restoring.unfinished(boot.site(self.directory).data):
            raise errors.Conflict("the data were not restored to their end: restore them again, or delete the instance")

    def certify(self) -> None:
        """What the server is to show, under `tls/`; nothing where TLS is off. Raises Lost, Refused, GuestFailed."""
        site = boot.site(self.directory)
        if site.tls is TlsMode.OFF:
            return
        issued = self.keys.post("/v1/guest/certificate")
        files.write(site.authority, issued["authority"])
        files.write_together({site.private_key: issued["private_key"], site.certificate: issued["certificate"]})
