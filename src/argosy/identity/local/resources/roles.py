"""/v3/roles and who has which: GET /v3/role_assignments, and /v3/projects/{project}/users/{user}/roles."""

from __future__ import annotations

import falcon
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Account, Project, RoleAssignment
from argosy.identity.local import people, roles, tokens, views
from argosy.identity.local.service import Service, asked, tell
from argosy.identity.local.tokens import Ref


class Roles:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.admin(req)
        name = asked(req, "name")
        shown = [_view(req, each) for each in roles.NAMES if name in ("", each)]
        resp.media = views.collection(req, "roles", shown)


class OneRole:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, role_id: str) -> None:
        self.service.admin(req)
        resp.media = {"role": _view(req, roles.get(role_id))}


class RolesOfUser:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str, user_id: str) -> None:
        self.service.self_or_admin(req, user_id)
        with self.service.database.read() as session:
            assigned = people.assigned(session, user_id, project_id)
        resp.media = views.collection(req, "roles", [_view(req, role) for role in assigned])


class Assignment:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_put(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        bearer = self.service.admin(req)
        with self.service.change(bearer) as session:
            row = session.merge(_row(people.account(session, ids["user_id"], lock=True).id, ids))
            people.project(session, ids["project_id"])
            _tell(session, "created", row)
        resp.status = falcon.HTTP_204

    def on_head(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        self.service.self_or_admin(req, ids["user_id"])
        with self.service.database.read() as session:
            assigned = people.assigned(session, ids["user_id"], ids["project_id"])
        if roles.get(ids["role_id"]) not in assigned:
            raise errors.NotFound("the user does not have this role there")
        resp.status = falcon.HTTP_204

    on_get = on_head

    def on_delete(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        """Takes effect at once: every token of the user for this project is revoked."""
        bearer = self.service.admin(req)
        gone = _row(ids["user_id"], ids)
        with self.service.change(bearer) as session:
            people.account(session, gone.account_id, lock=True)
            found = session.get(RoleAssignment, (gone.account_id, gone.project_id, gone.role))
            if found is None:
                raise errors.NotFound("the user does not have this role there")
            session.delete(found)
            _tell(session, "deleted", gone)
            tokens.revoke(session, account=gone.account_id, project=gone.project_id)
        resp.status = falcon.HTTP_204


class Assignments:
    """Everybody sees their own, admins see all."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.self_or_admin(req, asked(req, "user.id"))
        with self.service.database.read() as session:
            rows = session.execute(_query(req)).all()
        resp.media = views.collection(req, "role_assignments", [_assignment(req, row) for row in rows])


def _tell(session: Session, verb: str, row: RoleAssignment) -> None:
    tell(session, "role_assignment", verb, row.account_id, project=row.project_id, role=row.role)


def _row(account_id: str, ids: dict[str, str]) -> RoleAssignment:
    return RoleAssignment(account_id=account_id, project_id=ids["project_id"], role=roles.get(ids["role_id"]))


def _query(req: falcon.Request) -> Select[RoleAssignment, str, str]:
    user, project, role = asked(req, "user.id"), asked(req, "scope.project.id"), asked(req, "role.id")
    query = (
        select(RoleAssignment, Account.name, Project.name)
        .join(Account, Account.id == RoleAssignment.account_id)
        .join(Project, Project.id == RoleAssignment.project_id)
        .order_by(Account.name, Project.name, RoleAssignment.role)
    )
    if user:
        query = query.where(RoleAssignment.account_id == user)
    if project:
        query = query.where(RoleAssignment.project_id == project)
    return query.where(RoleAssignment.role == roles.get(role)) if role else query


def _assignment(req: falcon.Request, found: Row[RoleAssignment, str, str]) -> views.View:
    row, account, project = found
    user, scope, role = {"id": row.account_id}, {"id": row.project_id}, {"id": roles.id_of(row.role)}
    if req.has_param("include_names"):
        user = views.in_domain(Ref(row.account_id, account))
        scope = views.in_domain(Ref(row.project_id, project))
        role = views.role(row.role)
    here = f"{req.prefix}/v3/projects/{row.project_id}/users/{row.account_id}/roles/{roles.id_of(row.role)}"
    return {"user": user, "scope": {"project": scope}, "role": role, "links": {"assignment": here}}


def _view(req: falcon.Request, name: str) -> views.View:
    links = {"self": f"{req.prefix}/v3/roles/{roles.id_of(name)}"}
    return {**views.role(name), "domain_id": None, "description": None, "options": {}, "links": links}
