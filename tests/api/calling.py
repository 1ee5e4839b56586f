"""How tests call the API: as one user of one project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import falcon.testing

Create = Callable[..., dict[str, Any]]
"""An instance as the answer to its creation tells it, in BUILD."""
Ready = Callable[..., str]
"""The id of an instance that is up."""


@dataclass(frozen=True)
class As:
    """The API as one user of one project sees it."""

    client: falcon.testing.TestClient
    project: str
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> falcon.testing.Result:
        """A path that begins with `//` is one of the whole server's, any other is below the project."""
        headers = {"X-Auth-Token": self.token, **more.pop("headers", {})}
        where = path[1:] if path.startswith("//") else f"/v1.0/{self.project}{path}"
        if isinstance(body, bytes):
            more["body"] = body
        elif body is not None:
            more["json"] = body
        return self.client.simulate_request(method, where, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """The body of a 200."""
        answer = self("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, str]:
        """Status, key and message of an error, which has exactly one key."""
        answer = self(method, path, body, **more)
        ((key, fault),) = answer.json.items()
        assert fault["code"] == answer.status_code
        return answer.status_code, key, fault["message"]


def order(**more: Any) -> dict[str, Any]:
    """The body of a plain create request; a keyword of None leaves that key out."""
    plain = {"name": "m1", "flavorRef": "2", "volume": {"size": 2}, "datastore": {"type": "postgresql"}}
    return {"instance": {name: value for name, value in {**plain, **more}.items() if value is not None}}
