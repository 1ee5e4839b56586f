"""How version 3 shows things."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import falcon

from argosy.db.tables import Account, ApplicationCredential, Project
from argosy.identity.local import roles
from argosy.identity.local.people import DOMAIN
from argosy.identity.local.tokens import Bearer, Ref

View = dict[str, Any]


def instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def domain() -> View:
    return {"id": DOMAIN.id, "name": DOMAIN.name}


def in_domain(ref: Ref) -> View:
    return {"id": ref.id, "name": ref.name, "domain": domain()}


def role(name: str) -> View:
    return {"id": roles.id_of(name), "name": name}


def token(bearer: Bearer, catalog: list[View]) -> View:
    view: View = {
        "methods": list(bearer.methods),
        "user": {**in_domain(bearer.account), "password_expires_at": None},
        "audit_ids": [bearer.audit_id],
        "issued_at": instant(bearer.issued),
        "expires_at": instant(bearer.expires),
    }
    if bearer.application_credential_id:
        view["application_credential"] = {"id": bearer.application_credential_id, "restricted": True}
    if bearer.project:
        view |= {
            "project": in_domain(bearer.project),
            "is_domain": False,
            "roles": [role(name) for name in bearer.roles],
            "catalog": catalog,
        }
    return {"token": view}


def project(req: falcon.Request, row: Project) -> View:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "enabled": row.enabled,
        "domain_id": DOMAIN.id,
        "parent_id": DOMAIN.id,
        "is_domain": False,
        "tags": [],
        "options": {},
        "links": {"self": f"{req.prefix}/v3/projects/{row.id}"},
    }


def user(req: falcon.Request, row: Account) -> View:
    view: View = {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "enabled": row.enabled,
        "domain_id": DOMAIN.id,
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{req.prefix}/v3/users/{row.id}"},
    }
    if row.email:
        view["email"] = row.email
    if row.default_project_id:
        view["default_project_id"] = row.default_project_id
    return view


def application_credential(req: falcon.Request, row: ApplicationCredential) -> View:
    here = f"{req.prefix}/v3/users/{row.account_id}/application_credentials/{row.id}"
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "user_id": row.account_id,
        "project_id": row.project_id,
        "roles": [role(name) for name in row.roles],
        "expires_at": instant(row.expires) if row.expires else None,
        "unrestricted": False,
        "links": {"self": here},
    }


def collection(req: falcon.Request, name: str, entries: Iterable[View]) -> View:
    """A list is told whole: there is no next page."""
    return {name: list(entries), "links": {"self": req.prefix + req.path, "next": None, "previous": None}}
