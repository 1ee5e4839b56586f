"""Who may ask: a token goes in, a Caller comes out."""

from __future__ import annotations

from typing import Protocol

from argosy.model.caller import Caller


class Identity(Protocol):
    """Tells whose token this is. Safe to share between threads; one per process."""

    def authenticate(self, token: str) -> Caller:
        """Who holds this token, with the roles on its project.

        Raises Unauthorized for a token that is unknown, expired, revoked or of no project, and Unavailable
        while the identity service cannot be asked.
        """
        ...
