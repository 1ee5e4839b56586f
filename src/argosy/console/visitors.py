"""Who looks at the console: a token in a cookie, which no script can read and which this process does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import falcon

from argosy import errors
from argosy.client import tokens
from argosy.client.credentials import Login
from argosy.client.tokens import TokenSession
from argosy.settings import Settings

COOKIE = "argosy"
TOKEN = re.compile(r"[A-Za-z0-9_.=-]+")
"""As ours and Keystone's are (Fernet, JWS)."""


class Door:
    """Lets visitors in and out."""

    def __init__(self, settings: Settings) -> None:
        self._api = f"http://{settings.api.host}:{settings.api.port}/v1.0"
        self._identity = settings.identity

    @contextmanager
    def visit(self, req: falcon.Request) -> Iterator[TokenSession]:
        """What this visitor may do. Raises Unauthorized where nobody has logged in."""
        session = TokenSession(self._identity.url, self._api, _token(req))
        try:
            yield session
        finally:
            session.close()

    def enter(self, req: falcon.Request, resp: falcon.Response, told: Mapping[str, str]) -> None:
        """`told`: `username`, `password`, `project`, `domain`. Raises Unauthorized, RateLimited, Unavailable."""
        token = tokens.issue(Login(self._identity.url, **told, region=self._identity.region))
        resp.set_cookie(COOKIE, token, path="/", secure=req.scheme == "https", http_only=True, same_site="Lax")

    def leave(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Their token is good for nothing from now on, however it had been copied."""
        with self.visit(req) as session:
            session.revoke()
        resp.unset_cookie(COOKIE, path="/", same_site="Lax")


def _token(req: falcon.Request) -> str:
    found = req.get_cookie_values(COOKIE)
    if not found or not TOKEN.fullmatch(found[0]):
        raise errors.Unauthorized
    return found[0]
