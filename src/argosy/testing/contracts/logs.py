"""What every engine promises of its logs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

import pytest

from argosy.engines import registry
from argosy.engines.accounts import User
from argosy.engines.logfiles import Log, Logs
from argosy.model.guest import Secret
from argosy.testing.servers import Server


class LogsContract:
    engine: ClassVar[str]

    @pytest.fixture
    def talkative(self, server: Server) -> Iterator[Server]:
        """It writes every log that it can."""
        server.hands.call("configure", settings(self._switched, on=True))
        _drain(server)
        yield server
        server.hands.call("configure", {})

    @property
    def _switched(self) -> list[Log]:
        return [each for each in registry.get(self.engine).logs if each.switch]

    def test_logs_are_declared_by_who_has_them(self, template: Server) -> None:
        engine = registry.get(self.engine)
        assert isinstance(engine.load_driver()(template.site), Logs) == bool(engine.logs)

    def test_a_log_is_switched_while_the_server_runs(self, talkative: Server) -> None:
        names = {each.name for each in registry.get(self.engine).logs}
        assert talkative.hands.call("logs_on") == names
        assert talkative.hands.call("configure", settings(self._switched, on=False)) is False
        assert talkative.hands.call("logs_on") == names - {each.name for each in self._switched}

    def test_nothing_of_the_administrator_is_logged(self, talkative: Server) -> None:
        """Its statements hold what passwords are known by."""
        since = talkative.hands.call("log_memory", "")[1]
        written = talkative.log.stat().st_size
        talkative.hands.call("put_user", User("discreet", Secret.generate(), "%", ()))
        kept = _kept(talkative) + b"".join(talkative.hands.call("log_memory", since)[0].values())
        assert b"discreet" not in kept + talkative.log.read_bytes()[written:]


def settings(logs: list[Log], *, on: bool) -> dict[str, object]:
    told: dict[str, object] = {}
    for each in logs:
        told = each.switch.turned(told, on=on) if each.switch else told
        if on and each.switch:
            told.setdefault(each.switch.setting, each.switch.on)
    return told


def _kept(server: Server) -> bytes:
    """What an agent would keep of the pipes."""
    return b"".join(
        server.hands.call("log_kept", name, line)
        for name, data in _drain(server).items()
        for line in data.splitlines(keepends=True)
    )


def _drain(server: Server) -> dict[str, bytes]:
    drained = {}
    for name, pipe in server.pipes.items():
        data = b""
        with suppress(BlockingIOError):
            while part := os.read(pipe, 1 << 16):
                data += part
        drained[name.removesuffix(".pipe")] = data
    return drained
