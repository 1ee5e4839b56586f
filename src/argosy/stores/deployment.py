"""The object store of a deployment."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from argosy import settings
from argosy.settings import BadSetting, Settings
from argosy.stores import credentials
from argosy.stores.base import Store
from argosy.stores.filesystem import FilesystemStore


def store(told: Settings) -> Store:
    """The same one each time. Raises BadSetting, StoreRefused."""
    return _made(told.store, told.state)


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
    from argosy.stores.s3 import Place, S3Store

    access, secret = credentials.read(_file(told, state), "access_key", "secret_key")
    region = told.region or "us-east-1"
    place = Place(told.url, told.bucket, told.prefix, region, told.addressing, told.authorities, access, secret)
    return S3Store(place, told.patience_seconds)


def _swift(told: settings.Store, state: Path) -> Store:
    from argosy.stores.swift import Place, SwiftStore

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
