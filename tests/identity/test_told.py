"""Changes of users, projects and roles are events, with who made them."""

from __future__ import annotations

from identity_client import Service
from sqlalchemy import select

from argosy.db.tables import Event


def told(service: Service) -> list[tuple[str, str]]:
    with service.database.read() as session:
        rows = session.scalars(select(Event).order_by(Event.seq))
        return [(row.kind.removeprefix("identity."), row.actor) for row in rows]


def test_what_administrators_and_users_change_is_told(service: Service) -> None:
    admin = service.id_of("users", "admin")
    bob = service.make_user("bob", "acme")
    project, role = service.id_of("projects", "acme"), service.role("member")
    token = service.log_in("bob").token
    keys = f"/v3/users/{bob}/application_credentials"
    made = service.ask("POST", keys, {"application_credential": {"name": "k"}}, token)
    service.ask("DELETE", f"{keys}/{made.body['application_credential']['id']}", token=token)
    own = {"user": {"original_password": "bobbob", "password": "another"}}
    assert service.ask("POST", f"/v3/users/{bob}/password", own).status == 204
    service.admin("PATCH", f"/v3/users/{bob}", {"user": {"email": "b@x"}})
    service.admin("PATCH", f"/v3/projects/{project}", {"project": {"description": "d"}})
    service.admin("DELETE", f"/v3/projects/{project}/users/{bob}/roles/{role}")
    service.admin("DELETE", f"/v3/users/{bob}")
    service.admin("DELETE", f"/v3/projects/{project}")
    assert told(service) == [
        ("project.created", admin),
        ("user.created", admin),
        ("role_assignment.created", admin),
        ("application_credential.created", bob),
        ("application_credential.deleted", bob),
        ("user.updated", bob),
        ("user.updated", admin),
        ("project.updated", admin),
        ("role_assignment.deleted", admin),
        ("user.deleted", admin),
        ("project.deleted", admin),
    ]


def test_what_is_refused_is_not_told(service: Service) -> None:
    before = told(service)
    token = service.log_in("demo").token
    assert service.ask("POST", "/v3/users", {"user": {"name": "eve"}}, token).status == 403
    assert told(service) == before
