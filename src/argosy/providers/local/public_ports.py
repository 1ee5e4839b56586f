"""Which guest has which public port: one symbolic link per port, pointing at the guest's name, as with addresses."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy import errors


@dataclass(frozen=True)
class PublicPorts:
    directory: Path
    within: range

    def find(self, name: str) -> int:
        """0 when it has none."""
        return next((port for port, owner in self.taken().items() if owner == name), 0)

    def allocate(self, name: str, usable: Callable[[int], bool]) -> int:
        """The name's port, the same until it is released; a new one is free on this host."""
        self.directory.mkdir(mode=0o711, exist_ok=True)
        return self.find(name) or self._take(name, usable)

    def release(self, name: str) -> None:
        for port, owner in self.taken().items():
            if owner == name:
                (self.directory / str(port)).unlink(missing_ok=True)

    def taken(self) -> Mapping[int, str]:
        """Port -> name."""
        if not self.directory.exists():
            return {}
        links = (path for path in self.directory.iterdir() if path.is_symlink())
        return {int(path.name): str(path.readlink()) for path in links}

    def _take(self, name: str, usable: Callable[[int], bool]) -> int:
        taken = self.taken()
        for port in self._candidates(name):
            if port not in taken and usable(port) and self._claimed(port, name):
                return port
        raise errors.CloudFailed(
            f"every port of {self.within[0]}-{self.within[-1]} is taken: widen provider.publish_ports"
        )

    def _candidates(self, name: str) -> Iterator[int]:
        """Beginning at one that the name decides: deployments on one host seldom try the same one at once."""
        first = zlib.crc32(name.encode())
        return (self.within[(first + step) % len(self.within)] for step in range(len(self.within)))

    def _claimed(self, port: int, name: str) -> bool:
        try:
            (self.directory / str(port)).symlink_to(name)
        except FileExistsError:
            return False
        return True
