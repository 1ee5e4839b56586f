"""The unprivileged side: Compute, Volumes and Networks that ask the root helper."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.providers.base import Feature, Fence, Port, PortSpec, Server, ServerSpec, Source, Usage, Volume
from argosy.providers.local.helper import protocol

PATIENCE_SECONDS = 60.0
"""For an answer; afterwards the step is tried again, which every verb allows."""


@dataclass(frozen=True)
class Helper:
    path: Path

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Its answer. Raises what it raised, and CloudBusy while there is no helper."""
        try:
            answer = self._exchange(protocol.line({"verb": verb, "arguments": arguments}))
        except OSError as error:
            raise errors.CloudBusy(
                f"the root helper does not answer on {self.path}: is `argosy up` running?"
            ) from error
        if "error" in answer:
            raise protocol.raised(answer["error"])
        return answer["result"]

    def _exchange(self, request: bytes) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(str(self.path))
            connection.sendall(request)
            line = connection.makefile("rb").readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError
        return json.loads(line)


@dataclass(frozen=True)
class RemoteCompute:
    helper: Helper

    def ensure(self, spec: ServerSpec) -> Server:
        return protocol.server(self.helper.ask("compute.ensure", spec=spec))

    def look(self, name: str) -> Server:
        return protocol.server(self.helper.ask("compute.look", name=name))

    def stop(self, name: str) -> Server:
        return protocol.server(self.helper.ask("compute.stop", name=name))

    def announce(self, name: str, ram: int, vcpus: float) -> None:
        self.helper.ask("compute.announce", name=name, ram=ram, vcpus=vcpus)

    def resize(self, name: str, ram: int, vcpus: float) -> Server:
        return protocol.server(self.helper.ask("compute.resize", name=name, ram=ram, vcpus=vcpus))

    def renew_agent(self, name: str) -> None:
        self.helper.ask("compute.renew_agent", name=name)

    def delete(self, name: str) -> None:
        self.helper.ask("compute.delete", name=name)

    def fence(self, name: str) -> Fence:
        return Fence(self.helper.ask("compute.fence", name=name))

    def owned(self) -> Sequence[str]:
        return list(self.helper.ask("compute.owned"))


@dataclass(frozen=True)
class RemoteVolumes:
    helper: Helper

    def ensure(self, name: str, gigabytes: int, source: Source) -> Volume:
        return protocol.volume(self.helper.ask("volumes.ensure", name=name, gigabytes=gigabytes, source=source))

    def grow(self, name: str, gigabytes: int) -> Volume:
        return protocol.volume(self.helper.ask("volumes.grow", name=name, gigabytes=gigabytes))

    def gather(self, name: str) -> None:
        self.helper.ask("volumes.gather", name=name)

    def begin_snapshot(self, name: str, snapshot: str) -> None:
        self.helper.ask("volumes.begin_snapshot", name=name, snapshot=snapshot)

    def snapshot(self, name: str, snapshot: str) -> None:
        self.helper.ask("volumes.snapshot", name=name, snapshot=snapshot)

    def revert(self, name: str, snapshot: str) -> Volume:
        return protocol.volume(self.helper.ask("volumes.revert", name=name, snapshot=snapshot))

    def remake(self, name: str, source: Source, mark: str) -> Volume:
        return protocol.volume(self.helper.ask("volumes.remake", name=name, source=source, mark=mark))

    def snapshots(self) -> Sequence[str]:
        return list(self.helper.ask("volumes.snapshots"))

    def delete_snapshot(self, snapshot: str) -> None:
        self.helper.ask("volumes.delete_snapshot", snapshot=snapshot)

    def delete(self, name: str) -> None:
        self.helper.ask("volumes.delete", name=name)

    def usage(self, name: str) -> Usage:
        return protocol.usage(self.helper.ask("volumes.usage", name=name))

    def owned(self) -> Sequence[str]:
        return list(self.helper.ask("volumes.owned"))

    def templates(self) -> Sequence[str]:
        return list(self.helper.ask("volumes.templates"))

    def make_template(self, name: str, volume: str) -> None:
        self.helper.ask("volumes.make_template", name=name, volume=volume)

    def delete_template(self, name: str) -> None:
        self.helper.ask("volumes.delete_template", name=name)


@dataclass(frozen=True)
class RemoteNetworks:
    helper: Helper

    def ensure(self, spec: PortSpec) -> Port:
        return protocol.port(self.helper.ask("networks.ensure", spec=spec))

    def look(self, name: str) -> Port:
        return protocol.port(self.helper.ask("networks.look", name=name))

    def delete(self, name: str) -> None:
        self.helper.ask("networks.delete", name=name)

    def owned(self) -> Sequence[str]:
        return list(self.helper.ask("networks.owned"))


@dataclass(frozen=True)
class RemoteParts:
    helper: Helper

    @cached_property
    def features(self) -> frozenset[Feature]:
        return frozenset(Feature(each) for each in self.helper.ask("ping")["features"])

    @property
    def compute(self) -> RemoteCompute:
        return RemoteCompute(self.helper)

    @property
    def volumes(self) -> RemoteVolumes:
        return RemoteVolumes(self.helper)

    @property
    def networks(self) -> RemoteNetworks:
        return RemoteNetworks(self.helper)

    def prepare(self) -> None:
        """The helper has prepared everything before it listens."""
