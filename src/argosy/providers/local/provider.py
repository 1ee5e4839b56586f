"""Guests on this machine. As root everything is done here; otherwise by the root helper, or, without one, plainly."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from argosy.engines.base import Found
from argosy.providers.base import Compute, Feature, Networks, Usage, Volumes
from argosy.providers.local import ground, parts
from argosy.providers.local.helper.client import Helper, RemoteParts
from argosy.providers.local.layout import Layout
from argosy.settings import BadSetting, Settings


class Way(StrEnum):
    """How what needs root is done."""

    DIRECT = "direct"
    HELPER = "helper"
    PLAIN = "plain"
    """not at all"""


def way(level: str, *, root: bool, helper: bool) -> Way:
    """Raises BadSetting. `helper`: is there a root helper's socket?"""
    if level not in {"auto", "root", "user"}:
        raise BadSetting(f"provider.level {level!r} is not known: `auto`, `root` or `user`")
    if level == "user":
        return Way.PLAIN
    if root:
        return Way.DIRECT
    return Way.HELPER if helper or level == "root" else Way.PLAIN


class Served(Protocol):
    """The parts, wherever the work is done."""

    @property
    def features(self) -> frozenset[Feature]: ...

    @property
    def compute(self) -> Compute: ...

    @property
    def volumes(self) -> Volumes: ...

    @property
    def networks(self) -> Networks: ...

    def prepare(self) -> None: ...


class LocalProvider:
    name = "local"

    def __init__(self, settings: Settings) -> None:
        socket = Layout(settings.state.resolve()).helper_socket
        self.settings = settings
        self.way = way(settings.provider.level, root=os.geteuid() == 0, helper=socket.exists())
        self.parts = _parts(self.way, settings, socket)

    @property
    def doorstep(self) -> str:
        return ground.doorstep(self.settings)

    @property
    def network(self) -> str:
        return ground.network(self.settings)

    @property
    def features(self) -> frozenset[Feature]:
        return self.parts.features

    @property
    def compute(self) -> Compute:
        return self.parts.compute

    @property
    def volumes(self) -> Volumes:
        return self.parts.volumes

    @property
    def networks(self) -> Networks:
        return self.parts.networks

    def catalog(self) -> Mapping[str, Sequence[Found]]:
        return parts.engine_roots(self.settings).catalog()

    def rooms(self) -> Mapping[str, Usage]:
        """Also what a sparse pool may still promise is kept on the disk below it."""
        layout = Layout(self.settings.state.resolve())
        disk = _usage(layout.state)
        return {"pool": _usage(layout.pool), "disk": disk} if layout.pool.is_mount() else {"pool": disk}

    def prepare(self) -> None:
        """What all guests share: once at the start of a process, as often as one likes."""
        self.parts.prepare()


def _usage(place: Path) -> Usage:
    """As who is not root sees it."""
    seen = os.statvfs(place)
    free = seen.f_bavail * seen.f_frsize
    used = (seen.f_blocks - seen.f_bfree) * seen.f_frsize
    return Usage(used, used + free)


def _parts(chosen: Way, settings: Settings, socket: Path) -> Served:
    if chosen is Way.HELPER:
        return RemoteParts(Helper(socket))
    return parts.as_root(settings) if chosen is Way.DIRECT else parts.as_user(settings)
