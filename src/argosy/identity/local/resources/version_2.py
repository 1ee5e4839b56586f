"""What clients of 2015 ask: POST /v2.0/tokens, GET /v2.0/tenants, and the headers of version 1."""

from __future__ import annotations

import json
from typing import Any

import falcon

from argosy import errors
from argosy.identity.local import catalog, people, roles, xml
from argosy.identity.local.fields import Fields, body, printable
from argosy.identity.local.logins import Denied, Logins, Proof, Scope
from argosy.identity.local.people import Named
from argosy.identity.local.service import Service
from argosy.identity.local.tokens import Bearer
from argosy.identity.local.views import instant

API_KEYS = ("apiKeyCredentials", "RAX-KSKEY:apiKeyCredentials")


class Tokens:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        auth = body(req, xml.read if xml.sent(req) else json.loads).object("auth")
        tenant = Named(auth.text("tenantId", ""), auth.text("tenantName", ""))
        scope = Scope(tenant) if tenant != Named() else None
        token, bearer = self.service.logins.issue(_proof(self.service.logins, auth), scope)
        self.service.sweep()
        resp.media = {"access": _access(self.service, req, token, bearer)}


class Tenants:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bearer = self.service.bearer(req)
        with self.service.database.read() as session:
            mine = [row for row in people.projects_of(session, bearer.account.id) if row.enabled]
        resp.media = {"tenants": [_tenant(row.id, row.name, row.description) for row in mine], "tenants_links": []}


class Version1:
    """A login by headers. The key is a password, or the secret of one of the user's application credentials."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        user, key = Named(name=_header(req, "X-Auth-User")), _header(req, "X-Auth-Key")
        proof = self.service.logins.by_api_key_or_password(user, key)
        token, bearer = self.service.logins.issue(proof, self._scope(req))
        self.service.sweep()
        resp.status = falcon.HTTP_204
        resp.set_header("X-Auth-Token", token)
        resp.set_header("X-Server-Management-Url", _address(self.service, req, bearer))

    def _scope(self, req: falcon.Request) -> Scope | None:
        named = _header(req, "X-Auth-Project-Id")
        if not named:
            return None
        with self.service.database.read() as session:
            return Scope(people.either(session, named))


def _header(req: falcon.Request, name: str) -> str:
    """Raises BadRequest for control characters."""
    value = req.get_header(name) or ""
    if not printable(value):
        raise errors.BadRequest(f"the header {name} must be printable")
    return value


def _proof(logins: Logins, auth: Fields) -> Proof:
    if "token" in auth:
        return logins.by_token(auth.object("token").text("id"))
    for name in API_KEYS:
        if name in auth:
            told = auth.object(name)
            return logins.by_api_key(Named(name=told.text("username")), told.secret("apiKey"))
    told = auth.object("passwordCredentials")
    user = Named(id=told.text("userId")) if "userId" in told else Named(name=told.text("username"))
    return logins.by_password(user, told.secret("password"))


def _access(service: Service, req: falcon.Request, token: str, bearer: Bearer) -> dict[str, Any]:
    owned = [{"name": role} for role in bearer.roles]
    told: dict[str, Any] = {
        "id": token,
        "issued_at": instant(bearer.issued),
        "expires": instant(bearer.expires)[:19] + "Z",
        "audit_ids": [bearer.audit_id],
    }
    offered: list[dict[str, Any]] = []
    if bearer.project:
        told["tenant"] = _tenant(bearer.project.id, bearer.project.name, "")
        services = catalog.services(service.settings, req)
        offered = catalog.version_2(services, bearer.project.id, service.settings.identity.region)
    account = bearer.account
    return {
        "token": told,
        "serviceCatalog": offered,
        "user": {"id": account.id, "name": account.name, "username": account.name, "roles": owned, "roles_links": []},
        "metadata": {"is_admin": 0, "roles": [roles.id_of(role) for role in bearer.roles]},
    }


def _tenant(tenant_id: str, name: str, description: str) -> dict[str, Any]:
    return {"id": tenant_id, "name": name, "description": description, "enabled": True}


def _address(service: Service, req: falcon.Request, bearer: Bearer) -> str:
    """Where the databases of the token's project are; without a project there is nothing to go to. Raises Denied."""
    if bearer.project is None:
        raise Denied("name a project: send X-Auth-Project-Id")
    return catalog.services(service.settings, req)[-1].url.format(project=bearer.project.id)
