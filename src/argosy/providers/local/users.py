"""A Unix user per guest: numbers nobody else uses, taken by making a file.

Guests need no entry in the host's /etc/passwd; the sandbox brings its own. The numbers lie above what systemd gives to
containers (0x6fffffff) and below what a signed 32 bit number holds; each deployment has a block of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from argosy import errors
from argosy.providers.local.documents import our_directory
from argosy.providers.local.layout import Layout

FIRST, BLOCK = 0x70000000, 4096
BLOCKS = (0x80000000 - FIRST) // BLOCK - 1


@dataclass(frozen=True)
class Users:
    layout: Layout

    @property
    def first(self) -> int:
        """Of this deployment's block."""
        return FIRST + int(self.layout.deployment, 16) % BLOCKS * BLOCK

    def reserve(self, name: str) -> int:
        """The guest's user id, the same until it is released."""
        our_directory(self.layout.users)
        taken = self.taken()
        for uid, holder in taken.items():
            if holder == name:
                return uid
        for uid in range(self.first, self.first + BLOCK):
            if uid not in taken and self._take(uid, name):
                return uid
        raise errors.CloudFailed(f"all {BLOCK} user ids of this deployment are taken: delete guests")

    def release(self, name: str) -> None:
        for uid, holder in self.taken().items():
            if holder == name:
                (self.layout.users / str(uid)).unlink(missing_ok=True)

    def taken(self) -> Mapping[int, str]:
        """User id -> guest."""
        if not self.layout.users.exists():
            return {}
        links = (path for path in self.layout.users.iterdir() if path.is_symlink())
        return {int(path.name): str(path.readlink()) for path in links}

    def _take(self, uid: int, name: str) -> bool:
        """A symbolic link is made with what it says in one step, and only once."""
        try:
            (self.layout.users / str(uid)).symlink_to(name)
        except FileExistsError:
            return False
        return True
