"""The object store of a deployment, and those of other regions that its settings name."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from argosy import settings
from argosy.settings import BadSetting, Settings
from argosy.stores import credentials
from argosy.stores.base import PREFIX, Store, StoreRefused
from argosy.stores.filesystem import FilesystemStore


def store(told: Settings, region: str = "") -> Store:
    """The deployment's own, or a region's; the same one each time. Raises BadSetting, StoreRefused."""
    return _made(told.region(region).store if region else told.store, told.state)


class Deferred:
    """One of these stores, looked for with each call: one whose settings are wrong stops only who needs it, until they
    are right.
    """

    def __init__(self, told: Settings, region: str = "") -> None:
        self._told, self._region = told, region

    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        return store(self._told, self._region).create(key)

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        return store(self._told, self._region).open(key, start, length)

    def stat(self, key: str) -> int:
        return store(self._told, self._region).stat(key)

    def list(self, prefix: str) -> Iterator[str]:
        return store(self._told, self._region).list(prefix)

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        return store(self._told, self._region).sizes(prefix)

    def delete(self, key: str) -> None:
        store(self._told, self._region).delete(key)

    def delete_prefix(self, prefix: str) -> None:
        store(self._told, self._region).delete_prefix(prefix)

    def room(self) -> tuple[int, int] | None:
        return store(self._told, self._region).room()


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


def _sftp(told: settings.Store, state: Path) -> Store:
    from argosy.stores.sftp import SftpStore
    from argosy.stores.sftp_requests import Place

    if not told.host_key.strip():
        raise BadSetting(
            "store.host_key is what `ssh-keyscan` or `ssh-keygen -l` says of the server: nobody is trusted"
        )
    if not PREFIX.fullmatch(told.prefix):
        raise BadSetting(f"store.prefix has letters, digits, '._-' and '/', not as {told.prefix!r}")
    host, port = _address(told.url)
    user, key, password = _login(_file(told, state))
    directory = posixpath.normpath(told.bucket)
    return SftpStore(
        Place(host, port, directory, told.prefix, told.host_key, user, key, password), told.patience_seconds
    )


def _address(url: str) -> tuple[str, int]:
    at = urlsplit(url)
    with suppress(ValueError):
        if at.scheme == "sftp" and at.hostname and not at.username and at.path in {"", "/"}:
            return at.hostname, at.port or 22
    raise BadSetting(f"store.url is sftp://HOST or sftp://HOST:PORT, not {url!r}: store.bucket is the directory there")


def _login(file: Path) -> tuple[str, str, str]:
    """User, and private key or password."""
    try:
        user, key = credentials.read(file, "user", "private_key")
    except StoreRefused:
        with suppress(StoreRefused):
            user, password = credentials.read(file, "user", "password")
            return user, "", password
        raise
    return user, key, ""


def _file(told: settings.Store, state: Path) -> Path:
    return Path(told.credentials_file) if told.credentials_file else state / "keys" / "store.toml"


KINDS: Mapping[str, Callable[[settings.Store, Path], Store]] = {
    "filesystem": _filesystem,
    "s3": _s3,
    "swift": _swift,
    "sftp": _sftp,
}
