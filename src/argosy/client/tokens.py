"""Tokens that somebody else holds: a browser, for the console."""

from __future__ import annotations

from argosy import errors
from argosy.client.credentials import Login
from argosy.client.session import Session, content


def issue(login: Login) -> str:
    """A token for one project. Raises Unauthorized, RateLimited, Unavailable."""
    session = Session(login)
    try:
        return session.token
    finally:
        session.close()


class TokenSession(Session):
    """What the bearer of a token may do. Once it is not good any more every request raises Unauthorized."""

    def __init__(self, auth_url: str, api: str, token: str) -> None:
        """`api`: base of the REST API, without a project."""
        super().__init__(Login(auth_url, username="", password="", project=""))
        self._api, self._token = api, token
        self.user = self.project = ""
        """their names, known once the token has been looked up"""

    def revoke(self) -> None:
        """It is good for nothing from now on."""
        content(self._send("DELETE", f"{self.identity}/auth/tokens", None, **{"X-Subject-Token": self._token}))

    def _log_in(self) -> None:
        """Look the token up."""
        answer = self._send("GET", f"{self.identity}/auth/tokens", None, **{"X-Subject-Token": self._token})
        if answer.status == 404:  # of another user, or of nobody
            raise errors.Unauthorized
        told = content(answer)["token"]
        if "project" not in told:
            raise errors.Unauthorized("this login is for no project")
        self.user, self.project = told["user"]["name"], told["project"]["name"]
        self._endpoint = f"{self._api}/{told['project']['id']}"
