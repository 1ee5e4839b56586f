"""The certificate of this guest's server, how TLS is spoken, and whom the agent itself trusts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from argosy.agent.configuration import Configuration
from argosy.agent.guest import Guest
from argosy.agent.task import Task
from argosy.engines import files

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

    def change_tls(self, _task: Task, _arguments: Arguments) -> Result:
        """Speak TLS as the site says by now. What is shown comes first: nothing that is wanted is missing then."""
        self._guest.certify()
        late = self._configuration.apply()
        self._guest.driver().reload_certificates()
        return {"restart_required": late}

    def reissue_certificate(self, _task: Task, _arguments: Arguments) -> Result:
        self._guest.certify()
        self._guest.driver().reload_certificates()
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
