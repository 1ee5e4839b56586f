"""/v3/auth: log in, ask about a token, revoke it, see where it leads."""

from __future__ import annotations

from typing import Any

import falcon

from argosy import errors
from argosy.identity.local import catalog, people, tokens, views
from argosy.identity.local.fields import Fields, body
from argosy.identity.local.logins import Denied, Logins, Proof, Scope
from argosy.identity.local.people import DOMAIN, Named
from argosy.identity.local.service import Service
from argosy.identity.local.tokens import Bearer


class Tokens:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        auth = body(req).object("auth")
        proof = _proof(self.service.logins, auth.object("identity"))
        token, bearer = self.service.logins.issue(proof, _scope(auth))
        self.service.sweep()
        resp.status = falcon.HTTP_201
        resp.set_header("X-Subject-Token", token)
        resp.media = self._view(req, bearer)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        _asker, token, bearer = self._subject(req)
        resp.set_header("X-Subject-Token", token)
        resp.media = self._view(req, bearer)

    def on_head(self, req: falcon.Request, _resp: falcon.Response) -> None:
        self._subject(req)

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        _asker, _token, bearer = self._subject(req)
        with self.service.database.write() as session:
            tokens.revoke(session, hashed=bearer.digest)
        resp.status = falcon.HTTP_204

    def _subject(self, req: falcon.Request) -> tuple[Bearer, str, Bearer]:
        """Who asks, and about which token. Raises Unauthorized, NotFound, or Forbidden for another user's token."""
        asker, token = self.service.bearer(req), req.get_header("X-Subject-Token") or ""
        with self.service.database.read() as session:
            found = tokens.find(session, token)
        if found is None:
            raise errors.NotFound("the token in X-Subject-Token cannot be found")
        if not asker.is_admin and found.account.id != asker.account.id:
            raise errors.Forbidden("You are not authorized to perform the requested action.")
        return asker, token, found

    def _view(self, req: falcon.Request, bearer: Bearer) -> dict[str, Any]:
        wanted = not req.has_param("nocatalog")
        return views.token(bearer, listed(self.service, req, bearer) if wanted else [])


class Catalog:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bearer = self.service.bearer(req)
        resp.media = views.collection(req, "catalog", listed(self.service, req, bearer))


class Projects:
    """Where the bearer may go."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bearer = self.service.bearer(req)
        with self.service.database.read() as session:
            mine = [row for row in people.projects_of(session, bearer.account.id) if row.enabled]
        resp.media = views.collection(req, "projects", [views.project(req, row) for row in mine])


def listed(service: Service, req: falcon.Request, bearer: Bearer) -> list[dict[str, Any]]:
    if bearer.project is None:
        return []
    offered = catalog.services(service.settings, req)
    return catalog.version_3(offered, bearer.project.id, service.settings.identity.region)


def _proof(logins: Logins, identity: Fields) -> Proof:
    methods = identity.texts("methods")
    if methods == ["password"]:
        user = identity.object("password").object("user")
        return logins.by_password(_user(user), user.secret("password"))
    if methods == ["token"]:
        return logins.by_token(identity.object("token").text("id"))
    if methods == ["application_credential"]:
        return _credential(logins, identity.object("application_credential"))
    raise Denied("Attempted to authenticate with an unsupported method.")


def _credential(logins: Logins, told: Fields) -> Proof:
    secret = told.secret("secret")
    if "id" in told:
        return logins.by_credential(told.text("id"), secret)
    return logins.by_credential_name(_user(told.object("user")), told.name(), secret)


def _user(told: Fields) -> Named:
    if "id" in told:
        return Named(id=told.text("id"))
    _only_domain(told)
    return Named(name=told.name())


def _scope(auth: Fields) -> Scope | None:
    if "scope" not in auth:
        return None
    if auth.value["scope"] == "unscoped":
        return Scope(None)
    scope = auth.object("scope")
    if "unscoped" in scope:
        return Scope(None)
    if "project" not in scope:
        raise Denied("a token is for a project here: there are no roles on domains or on the system")
    project = scope.object("project")
    if "id" in project:
        return Scope(Named(id=project.text("id")))
    _only_domain(project)
    return Scope(Named(name=project.name()))


def _only_domain(told: Fields) -> None:
    """Raises Denied when a domain is named that is not ours; unnamed, it is the only one."""
    if "domain" not in told:
        return
    domain = told.object("domain")
    named = domain.text("id", "") or domain.text("name", "")
    if named.lower() != DOMAIN.id:
        raise Denied
