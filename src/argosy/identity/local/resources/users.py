"""/v3/users: made and removed by admins; users see themselves and change their own passwords."""

from __future__ import annotations

import uuid

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy.db.actors import Actor, acting
from argosy.db.tables import Account, ApplicationCredential, RoleAssignment
from argosy.identity.local import passwords, people, tokens, views
from argosy.identity.local.fields import Fields, body
from argosy.identity.local.people import Named
from argosy.identity.local.service import Service, asked, enabled_asked, tell


class Users:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.admin(req)
        name, enabled = asked(req, "name"), enabled_asked(req)
        query = select(Account).order_by(Account.name)
        if name:
            query = query.where(Account.name == name)
        if enabled is not None:
            query = query.where(Account.enabled == enabled)
        with self.service.database.read() as session:
            rows = list(session.scalars(query))
        resp.media = views.collection(req, "users", [views.user(req, row) for row in rows])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        bearer = self.service.admin(req)
        told = body(req).object("user")
        row = Account(id=uuid.uuid4().hex, name=told.name(), password=_password(told))
        with self.service.change(bearer) as session:
            _describe(session, row, told)
            session.add(row)
            tell(session, "user", "created", row.id, name=row.name)
        resp.status = falcon.HTTP_201
        resp.media = {"user": views.user(req, row)}


class OneUser:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        self.service.self_or_admin(req, user_id)
        with self.service.database.read() as session:
            resp.media = {"user": views.user(req, people.account(session, user_id))}

    def on_patch(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        bearer = self.service.admin(req)
        told = body(req).object("user")
        password = _password(told)
        with self.service.change(bearer) as session:
            row = people.account(session, user_id, lock=True)
            row.name = told.name() if "name" in told else row.name
            row.password = password or row.password
            _describe(session, row, told)
            session.flush()
            tell(session, "user", "updated", row.id, name=row.name)
            if password or not row.enabled:
                tokens.revoke(session, account=row.id)
        resp.media = {"user": views.user(req, row)}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        bearer = self.service.admin(req)
        with self.service.change(bearer) as session:
            row = people.account(session, user_id, lock=True)
            tell(session, "user", "deleted", row.id, name=row.name)
            tokens.revoke(session, account=row.id)
            for table in (RoleAssignment, ApplicationCredential):
                session.execute(delete(table).where(table.account_id == row.id))
            session.delete(row)
        resp.status = falcon.HTTP_204


class Password:
    """POST /v3/users/{user}/password, by whoever knows the old one: no token is asked for."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def on_post(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        told = body(req).object("user")
        proof = self.service.logins.by_password(Named(id=user_id), told.secret("original_password"))
        new = passwords.hashed(told.secret("password"))
        with acting(Actor(user_id)), self.service.database.write() as session:
            row = self.service.logins.confirmed(session, proof)
            row.password = new
            tell(session, "user", "updated", row.id, name=row.name)
            session.flush()
            tokens.revoke(session, account=row.id)
        resp.status = falcon.HTTP_204


def _password(told: Fields) -> str | None:
    return passwords.hashed(told.secret("password")) if "password" in told else None


def _describe(session: Session, row: Account, told: Fields) -> None:
    row.email = told.text("email", row.email or "")
    row.description = told.text("description", row.description or "", longest=10_000)
    row.enabled = told.flag("enabled", row.enabled is not False)
    if "default_project_id" in told:
        row.default_project_id = people.project(session, told.text("default_project_id")).id
