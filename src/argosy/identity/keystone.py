"""A real Keystone, asked through keystonemiddleware."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from argosy import errors
from argosy.model.caller import Caller
from argosy.settings import Identity

Environ = dict[str, Any]
StartResponse = Callable[..., object]


class KeystoneIdentity:
    """Validates tokens as every OpenStack service does: with a service user, and a cache of some minutes.

    A revoked token may be good for as long as the cache keeps it (keystonemiddleware's token_cache_time).
    """

    def __init__(self, options: Identity) -> None:
        from keystoneauth1.exceptions import ClientException
        from keystonemiddleware.auth_token import AuthProtocol

        self._foreign: type[Exception] = ClientException
        self._middleware = AuthProtocol(_seen, _configuration(options))

    def authenticate(self, token: str) -> Caller:
        if not token.isascii() or not token.isprintable():  # what no header can carry; the middleware would stumble
            raise errors.Unauthorized
        environ = _asking(token)
        status = ""

        def start_response(told: str, *_rest: object) -> None:
            nonlocal status
            status = told

        try:
            self._middleware(environ, start_response)
        except self._foreign as error:
            raise errors.Unavailable(f"keystone cannot be asked: {error}") from error
        if status.startswith("503"):
            raise errors.Unavailable("keystone cannot be asked just now")
        return caller(environ)


def caller(environ: Environ) -> Caller:
    """Whom keystonemiddleware wrote into the environment. Raises Unauthorized."""
    if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed":
        raise errors.Unauthorized
    if not environ.get("HTTP_X_PROJECT_ID"):
        raise errors.Unauthorized("the token names no project: log in with one")
    return Caller(
        user_id=environ["HTTP_X_USER_ID"],
        user_name=environ["HTTP_X_USER_NAME"],
        project_id=environ["HTTP_X_PROJECT_ID"],
        project_name=environ["HTTP_X_PROJECT_NAME"],
        roles=frozenset(environ.get("HTTP_X_ROLES", "").split(",")) - {""},
    )


def _asking(token: str) -> Environ:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "argosy",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "argosy",
        "HTTP_X_AUTH_TOKEN": token,
    }


def _seen(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """What stands behind the middleware: the answer is in the environment that it has filled."""
    start_response("204 No Content", [])
    return []


def _configuration(options: Identity) -> dict[str, str | bool]:
    return {
        "delay_auth_decision": False,  # or a Keystone that is away would look like a bad token
        "auth_type": "password",
        "auth_url": options.auth_url,
        "www_authenticate_uri": options.auth_url,
        "username": options.username,
        "password": options.password,
        "project_name": options.project,
        "user_domain_id": "default",
        "project_domain_id": "default",
        "service_type": "database",
    }
