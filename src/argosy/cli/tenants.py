"""Further users and projects: made when they are not there, their login kept in the credential file."""

from __future__ import annotations

import dataclasses
import secrets
from urllib.parse import urlencode

from argosy import errors
from argosy.client.credentials import Credentials, Login
from argosy.client.session import Session

ROLE = "member"


class PasswordUnknown(errors.Rejected):
    """the user is there already and its password is not known here"""


def ensure(credentials: Credentials, state: str, admin: Login, project: str, user: str) -> Login:
    """The login of `user` in `project`. Only an administrator can make what is missing."""
    kept = credentials.login(state, f"{user}@{project}")
    if kept is not None:
        return kept
    session = Session(admin)
    project_id = _one(session, "projects", project) or _make(session, "project", {"name": project})
    user_id, password = _user(session, credentials, state, user)
    _grant(session, project_id, user_id)
    login = dataclasses.replace(admin, username=user, password=password, project=project)
    credentials.keep_login(state, login)
    return login


def _user(session: Session, credentials: Credentials, state: str, user: str) -> tuple[str, str]:
    found = _one(session, "users", user)
    if found is None:
        password = secrets.token_urlsafe(18)
        return _make(session, "user", {"name": user, "password": password}), password
    known = [login.password for login in credentials.logins(state) if login.username == user]
    if not known:
        raise PasswordUnknown(f"user {user} is there already and its password is not known here: set OS_* by hand")
    return found, known[0]


def _one(session: Session, kind: str, name: str) -> str | None:
    found = session.request("GET", f"{session.identity}/{kind}?{urlencode({'name': name})}")[kind]
    return str(found[0]["id"]) if found else None


def _make(session: Session, kind: str, body: dict[str, str]) -> str:
    made = session.request("POST", f"{session.identity}/{kind}s", {kind: body})[kind]
    return str(made["id"])


def _grant(session: Session, project_id: str, user_id: str) -> None:
    role = _one(session, "roles", ROLE)
    session.request("PUT", f"{session.identity}/projects/{project_id}/users/{user_id}/roles/{role}")
