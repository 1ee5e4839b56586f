"""/v3/users/{user}/application_credentials: a user's keys for programs, each for one project."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime

import falcon
from sqlalchemy import select

from argosy import clock, errors
from argosy.db.tables import ApplicationCredential
from argosy.identity.local import people, tokens, views
from argosy.identity.local.fields import Fields, body
from argosy.identity.local.roles import get as role_named
from argosy.identity.local.service import Service, asked, tell
from argosy.identity.local.tokens import Bearer

SHORTEST_SECRET = 32
"""characters: a secret is stored under a fast hash, so it has to be long"""


class ApplicationCredentials:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        self.service.self_or_admin(req, user_id)
        name = asked(req, "name")
        query = select(ApplicationCredential).where(ApplicationCredential.account_id == user_id)
        query = query.where(ApplicationCredential.name == name) if name else query
        with self.service.database.read() as session:
            rows = list(session.scalars(query.order_by(ApplicationCredential.name)))
        shown = [views.application_credential(req, row) for row in rows]
        resp.media = views.collection(req, "application_credentials", shown)

    def on_post(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        bearer = _owner(self.service, req, user_id)
        told = body(req).object("application_credential")
        secret = _secret(told)
        row = _row(bearer, told, secret)
        with self.service.change(bearer) as session:
            people.account(session, bearer.account.id, lock=True)
            session.add(row)
            tell(session, "application_credential", "created", row.id, name=row.name, user=row.account_id)
        resp.status = falcon.HTTP_201
        resp.media = {"application_credential": {**views.application_credential(req, row), "secret": secret}}


class OneApplicationCredential:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str, credential_id: str) -> None:
        self.service.self_or_admin(req, user_id)
        with self.service.database.read() as session:
            row = people.credential(session, user_id, credential_id)
        resp.media = {"application_credential": views.application_credential(req, row)}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, user_id: str, credential_id: str) -> None:
        """Takes effect at once: the tokens that it got are revoked."""
        bearer = self.service.self_or_admin(req, user_id)
        _unconfined(bearer)
        with self.service.change(bearer) as session:
            people.account(session, user_id, lock=True)
            row = people.credential(session, user_id, credential_id)
            session.delete(row)
            tell(session, "application_credential", "deleted", row.id, name=row.name, user=row.account_id)
            tokens.revoke(session, credential=credential_id)
        resp.status = falcon.HTTP_204


def _owner(service: Service, req: falcon.Request, user_id: str) -> Bearer:
    """Raises Forbidden for anybody but the user, and for a program: it may not make itself more keys."""
    bearer = service.bearer(req)
    _unconfined(bearer)
    if bearer.account.id != user_id or bearer.project is None:
        raise errors.Forbidden("application credentials are made by their user, with a token of their project")
    return bearer


def _unconfined(bearer: Bearer) -> None:
    if bearer.application_credential_id:
        raise errors.Forbidden("an application credential cannot manage application credentials")


def _row(bearer: Bearer, told: Fields, secret: str) -> ApplicationCredential:
    return ApplicationCredential(
        id=uuid.uuid4().hex,
        name=told.name(),
        description=told.text("description", "", longest=10_000),
        account_id=bearer.account.id,
        project_id=bearer.project.id if bearer.project else "",
        roles=_roles(bearer, told),
        secret=tokens.digest(secret),
        expires=_expires(told),
    )


def _roles(bearer: Bearer, told: Fields) -> list[str]:
    """Those asked for, all of the token's without asking. Raises BadRequest for one that the token does not have."""
    if told.flag("unrestricted", False):
        raise errors.BadRequest("unrestricted application credentials are not offered")
    wanted = [role_named(each.text("id")) if "id" in each else each.name() for each in told.objects("roles")]
    for role in wanted:
        if role not in bearer.roles:
            raise errors.BadRequest(f"you do not have the role {role} in this project")
    return wanted or list(bearer.roles)


def _secret(told: Fields) -> str:
    if "secret" not in told:
        return secrets.token_urlsafe(32)
    secret = told.secret("secret")
    if not SHORTEST_SECRET <= len(secret) <= 255:
        raise errors.BadRequest(
            f"a secret of your own has {SHORTEST_SECRET} to 255 characters: leave it out to get one"
        )
    return secret


def _expires(told: Fields) -> float | None:
    if "expires_at" not in told:
        return None
    text = told.text("expires_at", longest=64)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise errors.BadRequest(f"expires_at is not an ISO 8601 time: {text!r}") from error
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if seconds <= clock.now():
        raise errors.BadRequest("expires_at lies in the past")
    return seconds
