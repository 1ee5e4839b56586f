"""The object store of a deployment."""

from __future__ import annotations

from argosy.settings import Settings
from argosy.stores.base import Store
from argosy.stores.filesystem import FilesystemStore


def store(settings: Settings) -> Store:
    return FilesystemStore(settings.state / "objects")
