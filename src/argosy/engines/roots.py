"""Where the programs of an engine stand: in the host's packages, in packages unpacked side by side, or in a wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from argosy import errors

HOST = Path("/")


@dataclass(frozen=True)
class Layout:
    title: str
    patterns: tuple[str, ...]
    """directories below a root in which the programs may stand"""
    programs: tuple[str, ...]
    """all of which must be there; alternatives are separated by `|`"""

    def places(self, root: Path) -> list[Path]:
        """One path for each directory: where several lead to one (a merged /usr), the later pattern names it."""
        found = {place.resolve(): place for pattern in self.patterns for place in sorted(root.glob(pattern))}
        return [place for place in found.values() if self._complete(place)]

    def place(self, root: Path) -> Path:
        """Raises GuestFailed."""
        for place in self.places(root):
            return place
        raise errors.GuestFailed(f"there is no {self.title} in {root}: install it, or unpack it into an engine root")

    def root(self, place: Path, root: Path) -> Path:
        """What to bind into a sandbox for the server in `place`: several below one root need roots of their own."""
        return place.parent if root == HOST or len(self.places(root)) > 1 else root

    def _complete(self, place: Path) -> bool:
        return all(any((place / name).is_file() for name in each.split("|")) for each in self.programs)


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())
