"""The local identity service as a WSGI application. The routes read as an index."""

from __future__ import annotations

from typing import Any

import falcon

from argosy import errors
from argosy.db.session import Database
from argosy.identity.local import faults, xml
from argosy.identity.local.fields import printable
from argosy.identity.local.resources import (
    application_credentials,
    catalog,
    domains,
    projects,
    roles,
    tokens,
    users,
    version_2,
    versions,
)
from argosy.identity.local.service import Service
from argosy.settings import Settings


def make(settings: Settings, database: Database) -> falcon.App[Any, Any]:
    """A WSGI application. It keeps nothing in memory that another process would miss."""
    app: falcon.App[Any, Any] = falcon.App(middleware=[Sieve(), Translator()])
    app.req_options.strip_url_path_trailing_slash = True
    faults.install(app)
    service = Service(settings, database)
    for path, resource in _routes(service):
        app.add_route(path, resource)
    for path, many in _read_only(service):
        app.add_route(path, many)
        app.add_route(f"{path}/{{one_id}}", many, suffix="one")
    return app


def _routes(service: Service) -> tuple[tuple[str, object], ...]:
    user, roles_of = "/v3/users/{user_id}", "/v3/projects/{project_id}/users/{user_id}/roles"
    return (
        ("/", versions.Root()),
        ("/v3", versions.Version3()),
        ("/v3/auth/tokens", tokens.Tokens(service)),
        ("/v3/auth/catalog", tokens.Catalog(service)),
        ("/v3/auth/projects", tokens.Projects(service)),
        ("/v3/domains", domains.Domains(service)),
        ("/v3/domains/{domain_id}", domains.OneDomain(service)),
        ("/v3/projects", projects.Projects(service)),
        ("/v3/projects/{project_id}", projects.OneProject(service)),
        ("/v3/users", users.Users(service)),
        (user, users.OneUser(service)),
        (f"{user}/password", users.Password(service)),
        (f"{user}/projects", projects.ProjectsOfUser(service)),
        (f"{user}/application_credentials", application_credentials.ApplicationCredentials(service)),
        (
            f"{user}/application_credentials/{{credential_id}}",
            application_credentials.OneApplicationCredential(service),
        ),
        ("/v3/roles", roles.Roles(service)),
        ("/v3/roles/{role_id}", roles.OneRole(service)),
        ("/v3/role_assignments", roles.Assignments(service)),
        (roles_of, roles.RolesOfUser(service)),
        (f"{roles_of}/{{role_id}}", roles.Assignment(service)),
        ("/v2.0", versions.Version2()),
        ("/v2.0/tokens", version_2.Tokens(service)),
        ("/v2.0/tenants", version_2.Tenants(service)),
        ("/v1", version_2.Version1(service)),
        ("/v1.0", version_2.Version1(service)),
    )


def _read_only(service: Service) -> tuple[tuple[str, object], ...]:
    return (
        ("/v3/services", catalog.Services(service)),
        ("/v3/endpoints", catalog.Endpoints(service)),
        ("/v3/regions", catalog.Regions(service)),
    )


class Sieve:
    """Nothing odd gets as far as a resource."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        if not printable(req.path):
            raise errors.NotFound("there is no such path")

    def process_response(self, _req: falcon.Request, resp: falcon.Response, _resource: object, _ok: bool) -> None:
        resp.set_header("Vary", "X-Auth-Token")
        resp.set_header("Cache-Control", "no-store")


class Translator:
    """Version 2.0 answers in XML whoever likes that better, errors too."""

    def process_response(self, req: falcon.Request, resp: falcon.Response, _resource: object, _ok: bool) -> None:
        if req.path.startswith("/v2.0") and resp.media and xml.wanted(req):
            resp.data, resp.media = xml.write(resp.media), None
            resp.content_type = "application/xml"
