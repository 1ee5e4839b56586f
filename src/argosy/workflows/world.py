"""What steps may reach: the settings and the place where guests run."""

from __future__ import annotations

from dataclasses import dataclass

from argosy import errors
from argosy.providers.base import Provider
from argosy.settings import Settings
from argosy.stores import deployment
from argosy.stores.base import Store
from argosy.workflows import webhook_call
from argosy.workflows.webhook_call import Deliver


@dataclass(frozen=True)
class World:
    settings: Settings
    provider: Provider
    deliver: Deliver = webhook_call.post
    """calls a webhook"""

    @property
    def store(self) -> Store:
        """The deployment's object store."""
        return deployment.store(self.settings)


def build(settings: Settings) -> World:
    """The world of this deployment. Raises Broken when its provider is not known."""
    if settings.provider.kind != "local":
        raise errors.Broken(f"provider.kind {settings.provider.kind!r} is not known: use 'local'")
    from argosy.providers.local.provider import LocalProvider

    return World(settings, LocalProvider(settings))
