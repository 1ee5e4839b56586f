"""What an object store must offer. Keys are relative, with slashes: `backups/<id>/manifest.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from argosy import errors

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
"""No part of a key begins with a dot, so nothing climbs out of a prefix and nothing is hidden."""
PREFIX = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*/)*([A-Za-z0-9_][A-Za-z0-9._-]*)?")
LONGEST = 900


class NoSuchObject(errors.NotFound):
    """there is no such object in the store"""


class StoreUnreachable(errors.Unavailable):
    """the object store cannot be reached"""


class StoreFull(errors.Broken):
    """the object store is full: its operator must make room"""

    status = 507


class StoreRefused(errors.Broken):
    """the object store does not let us in: an operator must look at section [store] of the settings"""

    status = 502


class Store(Protocol):
    """Every verb also raises StoreUnreachable, StoreFull or StoreRefused: who must act."""

    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Write an object. Leaving normally makes it visible whole and durable; leaving by an exception, or dying,
        leaves nothing visible. An existing object of that key stays as it is: errors.Conflict, at the end.
        """

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        """From an offset, and no more than so many bytes. Raises NoSuchObject."""

    def stat(self, key: str) -> int:
        """Its bytes. Raises NoSuchObject."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with the prefix, in order. What lies beside the prefix is not walked through."""

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """As `list`, with the bytes of each."""

    def delete(self, key: str) -> None:
        """Absent is success."""

    def delete_prefix(self, prefix: str) -> None:
        """Everything whose key begins with it; it is not empty."""

    def room(self) -> tuple[int, int] | None:
        """Bytes used, and in all; None where nobody can say."""


def checked(key: str) -> str:
    """The key. Raises BadRequest for one that could leave its place."""
    if not KEY.fullmatch(key) or len(key) > LONGEST:
        raise errors.BadRequest(f"{key!r} cannot be the key of an object: use letters, digits, '._-' and '/'")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix. Raises BadRequest for one that no key could begin with."""
    if not PREFIX.fullmatch(prefix) or len(prefix) > LONGEST:
        raise errors.BadRequest(f"{prefix!r} cannot be the beginning of a key: use letters, digits, '._-' and '/'")
    return prefix
