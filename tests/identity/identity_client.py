"""Talks to an identity service over a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import urllib3
import waitress
from waitress.wasyncore import close_all

from argosy.db.session import Database
from argosy.settings import Settings


@dataclass
class Answer:
    status: int
    headers: Any
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None

    @property
    def token(self) -> str:
        assert self.status == 201, self.text
        return self.headers["X-Subject-Token"]


@dataclass
class Service:
    url: str
    database: Database
    settings: Settings
    passwords: dict[str, str]
    ruling: str = ""
    """the admin's token, once there is one"""
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16, retries=False))

    def ask(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        told = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = self.pool.request(method, self.url + path, body=data, headers=told)
        return Answer(answer.status, answer.headers, answer.data.decode())

    def log_in(self, user: str, password: str | None = None, scope: Any = None) -> Answer:
        """By password, for the user's default project unless a scope is given."""
        told = {"name": user, "domain": {"id": "default"}, "password": password or self.passwords[user]}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": told}}}
        if scope is not None:
            auth["scope"] = scope
        return self.ask("POST", "/v3/auth/tokens", {"auth": auth})

    def admin(self, method: str, path: str, body: Any = None) -> Answer:
        self.ruling = self.ruling or self.log_in("admin").token
        return self.ask(method, path, body, self.ruling)

    def make_user(self, name: str, project: str = "", role: str = "member") -> str:
        """A user whose password is its name twice, with a project of its own if one is named. The user's id."""
        self.passwords[name] = name * 2
        user = {"name": name, "password": name * 2}
        if project:
            user["default_project_id"] = self.make_project(project)
        made = self.admin("POST", "/v3/users", {"user": user}).body["user"]["id"]
        if project:
            self.admin("PUT", f"/v3/projects/{user['default_project_id']}/users/{made}/roles/{self.role(role)}")
        return str(made)

    def make_project(self, name: str) -> str:
        return str(self.admin("POST", "/v3/projects", {"project": {"name": name}}).body["project"]["id"])

    def role(self, name: str) -> str:
        return str(self.admin("GET", f"/v3/roles?name={name}").body["roles"][0]["id"])

    def id_of(self, kind: str, name: str) -> str:
        return str(self.admin("GET", f"/v3/{kind}?name={name}").body[kind][0]["id"])

    def valid(self, token: str) -> bool:
        return self.ask("GET", "/v3/auth/projects", token=token).status == 200


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """The URL of a WSGI application on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = waitress.create_server(application, sockets=[listener], threads=12, clear_untrusted_proxy_headers=True)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):  # the loop may have been awake, and have closed the trigger before it is pulled
            server.trigger.pull_trigger(lambda: close_all(server._map, ignore_all=True))
        thread.join(10)
        server.task_dispatcher.shutdown()
