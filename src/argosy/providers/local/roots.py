"""Which engines stand on this machine: the host's packages, and engine roots side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.engines.base import Engine, Found

HOST = Path("/")


@dataclass(frozen=True)
class Roots:
    directory: Path
    """one subdirectory per engine root"""
    engines: Mapping[str, Engine]

    def catalog(self) -> Mapping[str, Sequence[Found]]:
        """What is there now. Of the same version found twice an engine root wins: who put it there meant it."""
        return {name: self._versions(engine) for name, engine in self.engines.items()}

    def get(self, engine: str, version: str) -> Found:
        """Raises CloudFailed, naming what there is instead."""
        found = self._versions(self.engines[engine]) if engine in self.engines else ()
        for each in found:
            if each.version == version:
                return each
        there = ", ".join(each.version for each in found) or "none"
        cure = f"install it, or unpack it into {self.directory}"
        raise errors.CloudFailed(f"{engine} {version} is not on this machine (found: {there}): {cure}")

    def _versions(self, engine: Engine) -> Sequence[Found]:
        return list({each.version: each for root in self._roots() for each in engine.find(root)}.values())

    def _roots(self) -> Iterable[Path]:
        yield HOST
        if self.directory.is_dir():
            yield from sorted(path for path in self.directory.iterdir() if path.is_dir())
