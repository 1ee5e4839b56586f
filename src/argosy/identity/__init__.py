"""Token -> Caller, by our own small service or by a real Keystone."""

from __future__ import annotations

from argosy.db.session import Database
from argosy.identity.base import Identity
from argosy.settings import BadSetting, Settings

__all__ = ["Identity", "make"]


def make(settings: Settings, database: Database) -> Identity:
    """The identity backend that the settings name. Raises BadSetting."""
    backend = settings.identity.backend
    if backend == "local":
        from argosy.identity.local.identity import LocalIdentity

        return LocalIdentity(database)
    if backend == "keystone":
        from argosy.identity.keystone import KeystoneIdentity

        return KeystoneIdentity(settings.identity)
    raise BadSetting(f"identity.backend must be local or keystone, not {backend!r}")
