"""A row of the route table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from argosy.api.exchange import Answer, Request

Handler = Callable[[Request], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    """a template as Falcon reads it: `{variables}` are whole segments"""
    handler: Handler
    rule: str = ""
    """what the policy must allow on the URL's project before the handler is called"""
    own: bool = False
    """below `/mgmt`, and yet also for the project that it is about: the handler checks"""

    @property
    def for_administrators(self) -> bool:
        """Everything below `/mgmt` that is not told to be for others too."""
        return "/mgmt/" in self.path and not self.own
