"""The certificate of this guest's server, how TLS is spoken, and whom the agent itself trusts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from argosy import clock, errors
from argosy.agent.configuration import Configuration
from argosy.agent.guest import Guest
from argosy.agent.task import Task
from argosy.engines import files, handshake
from argosy.engines.base import Driver
from argosy.engines.handshake import Handshake
from argosy.model.guest import TlsMode

SHOWN_SECONDS = 15.0
"""from the order to read a certificate until it is shown"""
PAUSE = 0.02

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class TlsHands:
    """Verbs about TLS. The mode is the site's."""

    def __init__(self, guest: Guest, configuration: Configuration) -> None:
        self._guest = guest
        self._configuration = configuration
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "change_tls": self.change_tls,
            "reissue_certificate": self.reissue_certificate,
            "trust": self.trust,
        }

    def change_tls(self, task: Task, _arguments: Arguments) -> Result:
        """Speak TLS as the site says by now. What is shown comes first: nothing that is wanted is missing then."""
        self._guest.certify()
        late = self._configuration.apply()
        driver = self._guest.driver()
        driver.reload_certificates()
        if not late:
            _await_shown(driver, task)
        return {"restart_required": late, **self._configuration.told()}

    def reissue_certificate(self, task: Task, _arguments: Arguments) -> Result:
        """One that waits for a restart to speak TLS at all shows it then."""
        self._guest.certify()
        driver = self._guest.driver()
        driver.reload_certificates()
        _await_shown(driver, task, silent=True)
        return {}

    def trust(self, _task: Task, arguments: Arguments) -> Result:
        """Know conductors by these authorities, now and after a restart."""
        authority = str(arguments["authority"])
        file = self._guest.directory / "boot.json"
        told = json.loads(file.read_text())
        if told["authority"] != authority:
            files.write(file, json.dumps({**told, "authority": authority}))
            files.sync_directory(file.parent)
        self._guest.keys.trust(authority)
        return {}


def _await_shown(driver: Driver, task: Task, *, silent: bool = False) -> None:
    """Until the server shows at its endpoint what it was given (`silent`: or speaks no TLS); one that does not run
    just now reads it when it starts, and one that lets nobody in shows nothing. Raises GuestFailed.
    """
    if not isinstance(driver, Handshake) or driver.site.tls is TlsMode.OFF or not files.listening(driver.socket):
        return
    end, wanted = clock.monotonic() + SHOWN_SECONDS, handshake.given(driver)
    while clock.monotonic() < end:
        task.check()
        with suppress(OSError):
            if _sees(driver) in ((wanted, b"", None) if silent else (wanted, None)):
                return
        time.sleep(PAUSE)
    raise errors.GuestFailed("the database server was given a certificate and does not show it: a restart may help")


def _sees(driver: Handshake) -> bytes | None:
    """None where nobody may come in. Raises OSError."""
    try:
        return handshake.shown(driver)
    except errors.Rejected:
        return None
