"""What an object store must offer. Keys are relative, with slashes: `backups/<id>/manifest.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from argosy import errors

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
"""No part of a key begins with a dot, so nothing climbs out of a prefix and nothing is hidden."""


class NoSuchObject(errors.NotFound):
    """there is no such object in the store"""


class Store(Protocol):
    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Write an object. Leaving normally makes it visible whole and durable; leaving by an exception, or dying,
        leaves nothing visible. An existing object of that key stays as it is: errors.Conflict, at the end.
        """

    def open(self, key: str) -> BinaryIO:
        """Raises NoSuchObject."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with the prefix, in order."""

    def delete(self, key: str) -> None:
        """Absent is success."""


def checked(key: str) -> str:
    """The key. Raises BadRequest for one that could leave its place."""
    if not KEY.fullmatch(key) or len(key) > 900:
        raise errors.BadRequest(f"{key!r} cannot be the key of an object: use letters, digits, '._-' and '/'")
    return key
