"""The object store of a deployment."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from argosy import settings
from argosy.settings import BadSetting, Settings
from argosy.stores import credentials
from argosy.stores.base import Store
from argosy.stores.filesystem import FilesystemStore


def store(told: Settings) -> Store:
    """The same one each time. Raises BadSetting, StoreRefused."""
    return _made(told.store, told.state)


class Deferred:
    """The store of a deployment, looked for with each call: one whose settings are wrong stops only who needs it, until
    they are right.
    """

    def __init__(self, told: Settings) -> None:
        self._told = told

    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        return store(self._told).create(key)

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        return store(self._told).open(key, start, length)

    def stat(self, key: str) -> int:
        return store(self._told).stat(key)

    def list(self, prefix: str) -> Iterator[str]:
        return store(self._told).list(prefix)

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        return store(self._told).sizes(prefix)

    def delete(self, key: str) -> None:
        store(self._told).delete(key)

    def delete_prefix(self, prefix: str) -> None:
        store(self._told).delete_prefix(prefix)

    def room(self) -> tuple[int, int] | None:
        return store(self._told).room()


@functools.cache
def _made(told: settings.Store, state: Path) -> Store:
    if told.kind not in KINDS:
        raise BadSetting(f"store.kind is one of {', '.join(KINDS)}, not {told.kind!r}")
    if told.prefix and not told.prefix.endswith("/"):
        raise BadSetting(f"store.prefix ends with a slash, not as {told.prefix!r} does")
    return KINDS[told.kind](told, state)


def _filesystem(told: settings.Store, state: Path) -> Store:
    return FilesystemStore(Path(told.path), mounted=True) if told.path else FilesystemStore(state / "objects")


def _s3(told: settings.Store, state: Path) -> Store:
    from argosy.stores.s3 import S3Store
    from argosy.stores.s3_requests import Place

    access, secret = credentials.read(_file(told, state), "access_key", "secret_key")
    region = told.region or "us-east-1"
    place = Place(told.url, told.bucket, told.prefix, region, told.addressing, told.authorities, access, secret)
    return S3Store(place, told.patience_seconds)


def _swift(told: settings.Store, state: Path) -> Store:
    from argosy.stores.swift import SwiftStore
    from argosy.stores.swift_requests import Place

    user, password = credentials.read(_file(told, state), "user", "password")
    place = Place(
        told.url, told.bucket, told.prefix, told.region, told.project, told.domain, told.authorities, user, password
    )
    return SwiftStore(place, told.patience_seconds)


def _file(told: settings.Store, state: Path) -> Path:
    return Path(told.credentials_file) if told.credentials_file else state / "keys" / "store.toml"


KINDS: Mapping[str, Callable[[settings.Store, Path], Store]] = {
    "filesystem": _filesystem,
    "s3": _s3,
    "swift": _swift,
}
