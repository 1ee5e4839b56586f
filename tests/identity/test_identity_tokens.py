"""A token: asked about, revoked, expired, swept."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest
from identity_client import Service
from sqlalchemy import func, select

from argosy import errors
from argosy.db.tables import Token
from argosy.identity import make
from argosy.identity.local.service import Service as Inner
from argosy.testing.waiting import eventually


def _count(service: Service) -> int | None:
    with service.database.read() as session:
        return session.scalar(select(func.count()).select_from(Token))


def test_a_token_tells_about_itself(service: Service) -> None:
    token = service.log_in("demo").token
    answer = service.ask("GET", "/v3/auth/tokens", token=token, X_Subject_Token=token)
    assert answer.status == 200
    assert answer.headers["X-Subject-Token"] == token
    assert answer.body["token"]["user"]["name"] == "demo"
    assert service.ask("HEAD", "/v3/auth/tokens", token=token, X_Subject_Token=token).status == 200


def test_only_admins_ask_about_tokens_of_others(service: Service) -> None:
    demo, admin = service.log_in("demo").token, service.log_in("admin").token
    assert service.ask("GET", "/v3/auth/tokens", token=demo, X_Subject_Token=admin).status == 403
    assert service.ask("GET", "/v3/auth/tokens", token=admin, X_Subject_Token=demo).status == 200
    assert service.ask("GET", "/v3/auth/tokens", token=admin, X_Subject_Token="argosy_unknown").status == 404
    assert service.ask("GET", "/v3/auth/tokens", token=admin).status == 404
    assert service.ask("GET", "/v3/auth/tokens", X_Subject_Token=admin).status == 401


def test_a_revoked_token_opens_nothing_and_others_stay(service: Service) -> None:
    gone, stays = service.log_in("demo").token, service.log_in("demo").token
    assert service.ask("DELETE", "/v3/auth/tokens", token=gone, X_Subject_Token=gone).status == 204
    assert not service.valid(gone)
    assert service.valid(stays)


def test_the_api_sees_the_caller_until_the_token_is_revoked(service: Service) -> None:
    identity = make(service.settings, service.database)
    answer = service.log_in("admin")
    caller = identity.authenticate(answer.token)
    assert (caller.user_name, caller.project_name, caller.is_admin) == ("admin", "admin", True)
    assert caller.project_id == answer.body["token"]["project"]["id"]
    service.ask("DELETE", "/v3/auth/tokens", token=answer.token, X_Subject_Token=answer.token)
    with pytest.raises(errors.Unauthorized):
        identity.authenticate(answer.token)


@pytest.mark.parametrize("token", ["", "argosy_", "x" * 10_000, "' or 1=1 --", "\udcff", "\x00"])
def test_the_api_refuses_what_is_no_token(service: Service, token: str) -> None:
    with pytest.raises(errors.Unauthorized):
        make(service.settings, service.database).authenticate(token)


def test_the_api_refuses_a_token_without_a_project(service: Service) -> None:
    with pytest.raises(errors.Unauthorized, match="names no project"):
        make(service.settings, service.database).authenticate(service.log_in("demo", scope="unscoped").token)


def test_a_token_of_one_project_does_not_open_another(service: Service) -> None:
    service.make_user("alice", "acme")
    identity = make(service.settings, service.database)
    alice, demo = (identity.authenticate(service.log_in(user).token) for user in ("alice", "demo"))
    assert alice.project_id != demo.project_id
    assert service.log_in("alice", scope={"project": {"id": demo.project_id}}).status == 401


def test_an_expired_token_opens_nothing_and_is_swept(start: Callable[..., Service]) -> None:
    service = start(token_seconds=-1)
    expired = service.log_in("demo").token
    assert not service.valid(expired)
    Inner(service.settings, service.database).sweep()
    assert _count(service) == 0


def test_a_token_rests_hashed(service: Service) -> None:
    token = service.log_in("demo").token
    with service.database.read() as session:
        kept = [str(vars(row)) for row in session.scalars(select(Token))]
    assert kept
    assert not any(token in each or token.removeprefix("argosy_") in each for each in kept)


def _changed_password(service: Service, user: str) -> None:
    told = {"user": {"original_password": service.passwords["alice"], "password": "another"}}
    assert service.ask("POST", f"/v3/users/{user}/password", told).status == 204


def _reset_password(service: Service, user: str) -> None:
    assert service.admin("PATCH", f"/v3/users/{user}", {"user": {"password": "another"}}).status == 200


def _disabled(service: Service, user: str) -> None:
    assert service.admin("PATCH", f"/v3/users/{user}", {"user": {"enabled": False}}).status == 200


def _removed(service: Service, user: str) -> None:
    assert service.admin("DELETE", f"/v3/users/{user}").status == 204


def _unassigned(service: Service, user: str) -> None:
    project, role = service.id_of("projects", "acme"), service.role("member")
    assert service.admin("DELETE", f"/v3/projects/{project}/users/{user}/roles/{role}").status == 204


def _closed_project(service: Service, _user: str) -> None:
    project = service.id_of("projects", "acme")
    assert service.admin("PATCH", f"/v3/projects/{project}", {"project": {"enabled": False}}).status == 200


def _removed_project(service: Service, _user: str) -> None:
    assert service.admin("DELETE", f"/v3/projects/{service.id_of('projects', 'acme')}").status == 204


@pytest.mark.parametrize(
    "take_away",
    [_changed_password, _reset_password, _disabled, _removed, _unassigned, _closed_project, _removed_project],
)
def test_taking_rights_away_revokes_at_once(service: Service, take_away: Callable[[Service, str], None]) -> None:
    user = service.make_user("alice", "acme")
    token, other = service.log_in("alice").token, service.log_in("demo").token
    assert service.valid(token)
    take_away(service, user)
    assert not service.valid(token)
    assert service.valid(other)


def test_disabling_and_enabling_again_gives_no_old_token_back(service: Service) -> None:
    user = service.make_user("alice", "acme")
    token = service.log_in("alice").token
    for enabled in (False, True):
        service.admin("PATCH", f"/v3/users/{user}", {"user": {"enabled": enabled}})
    assert not service.valid(token)


def test_a_password_change_leaves_no_token_of_a_login_under_way(service: Service) -> None:
    """Logins with the old password run all the time while it is changed: none of their tokens lives on."""
    user, over = service.make_user("alice", "acme"), Event()
    issued: list[str] = []
    answers: set[int] = set()

    def log_in() -> None:
        while not over.is_set():
            answer = service.log_in("alice", "alicealice")
            answers.add(answer.status)
            issued.extend([answer.token] if answer.status == 201 else [])

    threads = [Thread(target=log_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: issued)
    _changed_password(service, user)
    over.set()
    for thread in threads:
        thread.join()
    assert answers <= {201, 401}
    assert not any(service.valid(token) for token in issued)
