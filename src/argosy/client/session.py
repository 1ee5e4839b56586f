"""Requests to a deployment's REST API: a token is fetched when one is needed, errors come back as ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from argosy import errors
from argosy.client.credentials import Login

PATIENCE = urllib3.Timeout(connect=5, read=90)
ERRORS: Mapping[int, type[errors.ArgosyError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    406: errors.NotAcceptable,
    409: errors.Conflict,
    413: errors.OverQuota,
    415: errors.UnsupportedMedia,
    422: errors.Unprocessable,
    429: errors.RateLimited,
    501: errors.NotSupported,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}


class Session:
    """One user in one project. Every request raises ArgosyError with the server's own message."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._pool = urllib3.PoolManager(timeout=PATIENCE, retries=False)
        self._token = ""
        self._endpoint = ""

    @property
    def endpoint(self) -> str:
        """Base of the REST API for our project, from the catalog."""
        if not self._endpoint:
            self._log_in()
        return self._endpoint

    @property
    def token(self) -> str:
        if not self._token:
            self._log_in()
        return self._token

    @property
    def identity(self) -> str:
        """Base of the identity API, version 3."""
        base = self.login.auth_url.rstrip("/")
        return base if base.endswith("/v3") else f"{base}/v3"

    def get(self, path: str, **query: object) -> Any:
        """`path` is relative to the endpoint, or a whole URL, as those of identity are."""
        return self.request("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: Any = None) -> Any:
        return self.request("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.request("PUT", path, body)

    def delete(self, path: str) -> None:
        self.request("DELETE", path)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        url = path if path.startswith("http") else self.endpoint + path
        if not self._token:
            self._log_in()
        answer = self._send(method, url, body)
        if answer.status == 401:  # the token has expired, or was revoked
            self._log_in()
            answer = self._send(method, url, body)
        return content(answer)

    def authority(self) -> str:
        """PEM of the certificate authority that the databases of the deployment are verified by."""
        answer = self._send("GET", f"{self.endpoint.partition('/v1.0')[0]}/v1/ca", None)
        if answer.status != 200:
            content(answer)
        return answer.data.decode()

    def close(self) -> None:
        self._pool.clear()

    def _log_in(self) -> None:
        answer = self._send("POST", f"{self.identity}/auth/tokens", _password(self.login))
        token = content(answer)["token"]
        self._token = answer.headers["X-Subject-Token"]
        self._endpoint = _endpoint(token.get("catalog", ()), self.login)

    def _send(self, method: str, url: str, body: Any, **more: str) -> urllib3.BaseHTTPResponse:
        """`more`: further headers."""
        headers = {"Accept": "application/json", "User-Agent": "argosy", **more}
        if self._token:
            headers["X-Auth-Token"] = self._token
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        try:
            return self._pool.request(method, url, body=data, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise errors.Unavailable(f"{url} does not answer: does Argosy run there? ({_reason(error)})") from error


def _password(login: Login) -> dict[str, Any]:
    domain = {"name": login.domain}
    user = {"name": login.username, "password": login.password, "domain": domain}
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": login.project, "domain": domain}},
        }
    }


def _endpoint(catalog: Any, login: Login) -> str:
    """The public URL of the service of type `database`. Raises Broken."""
    for service in catalog:
        for endpoint in service["endpoints"] if service["type"] == "database" else ():
            if endpoint["interface"] == "public" and endpoint.get("region", login.region) == login.region:
                return str(endpoint["url"]).rstrip("/")
    raise errors.Broken(f"the catalog at {login.auth_url} names no database service in region {login.region}")


def content(answer: urllib3.BaseHTTPResponse) -> Any:
    """What was answered. Raises ArgosyError with the server's own message where that is an error."""
    if answer.status < 400:
        return json.loads(answer.data) if answer.data else None
    kind = ERRORS.get(answer.status, errors.Broken)
    raise kind(_message(answer))


def _message(answer: urllib3.BaseHTTPResponse) -> str:
    """The message of Trove's error body `{name: {code, message}}`, or of Keystone's, which is alike."""
    try:
        (fault,) = json.loads(answer.data).values()
        return str(fault["message"])
    except (ValueError, AttributeError, KeyError, TypeError):
        return f"the server answered {answer.status} {answer.reason or ''}".rstrip()


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    return str(getattr(error, "reason", error)).rpartition(": ")[2]
