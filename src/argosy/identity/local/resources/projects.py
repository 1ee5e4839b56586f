"""/v3/projects: made and removed by admins, seen by those who have a role in them."""

from __future__ import annotations

import uuid

import falcon
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Account, ApplicationCredential, Instance, Project, RoleAssignment
from argosy.identity.local import people, tokens, views
from argosy.identity.local.fields import body
from argosy.identity.local.service import Service, asked, enabled_asked, tell
from argosy.identity.local.tokens import Bearer

LONGEST_NAME = 64


class Projects:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.admin(req)
        name, enabled = asked(req, "name"), enabled_asked(req)
        query = select(Project).order_by(Project.name)
        if name:
            query = query.where(Project.name == name)
        if enabled is not None:
            query = query.where(Project.enabled == enabled)
        with self.service.database.read() as session:
            rows = list(session.scalars(query))
        resp.media = views.collection(req, "projects", [views.project(req, row) for row in rows])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        bearer = self.service.admin(req)
        told = body(req).object("project")
        row = Project(
            id=uuid.uuid4().hex,
            name=told.name(longest=LONGEST_NAME),
            description=told.text("description", "", longest=10_000),
            enabled=told.flag("enabled", True),
        )
        with self.service.change(bearer) as session:
            session.add(row)
            tell(session, "project", "created", row.id, name=row.name)
        resp.status = falcon.HTTP_201
        resp.media = {"project": views.project(req, row)}


class OneProject:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        bearer = self.service.bearer(req)
        with self.service.database.read() as session:
            _see(session, bearer, project_id)
            resp.media = {"project": views.project(req, people.project(session, project_id))}

    def on_patch(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        bearer = self.service.admin(req)
        told = body(req).object("project")
        with self.service.change(bearer) as session:
            row = people.project(session, project_id)
            row.name = told.name(longest=LONGEST_NAME) if "name" in told else row.name
            row.description = told.text("description", row.description, longest=10_000)
            row.enabled = told.flag("enabled", row.enabled)
            tell(session, "project", "updated", row.id, name=row.name)
            if not row.enabled:
                tokens.revoke(session, project=row.id)
        resp.media = {"project": views.project(req, row)}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        bearer = self.service.admin(req)
        with self.service.change(bearer) as session:
            _remove(session, people.project(session, project_id))
        resp.status = falcon.HTTP_204


class ProjectsOfUser:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        self.service.self_or_admin(req, user_id)
        with self.service.database.read() as session:
            rows = people.projects_of(session, people.account(session, user_id).id)
        resp.media = views.collection(req, "projects", [views.project(req, row) for row in rows])


def _see(session: Session, bearer: Bearer, project_id: str) -> None:
    """Raises Forbidden, whether or not there is such a project, unless the bearer may see it."""
    if not bearer.is_admin and not people.assigned(session, bearer.account.id, project_id):
        raise errors.Forbidden("You are not authorized to perform the requested action.")


def _remove(session: Session, row: Project) -> None:
    """Nobody could delete the databases of a project that is gone. Raises Conflict while there are any."""
    living = select(func.count()).where(Instance.project_id == row.id, Instance.deleted.is_(False))
    if count := session.scalar(living):
        raise errors.Conflict(f"project {row.name} still has {count} databases: delete them first")
    tokens.revoke(session, project=row.id)
    for table in (RoleAssignment, ApplicationCredential):
        session.execute(delete(table).where(table.project_id == row.id))
    for account in session.scalars(select(Account).where(Account.default_project_id == row.id)):
        account.default_project_id = None
    tell(session, "project", "deleted", row.id, name=row.name)
    session.delete(row)
