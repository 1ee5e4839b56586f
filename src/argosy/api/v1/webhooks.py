"""Webhooks: addresses that are told of a project's events."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.db import events
from argosy.db.session import ring
from argosy.db.tables import Run, Webhook
from argosy.durable import queue
from argosy.model import webhooks
from argosy.model.events import CATALOGUE
from argosy.model.guest import Secret
from argosy.model.webhooks import State

MOST_KINDS = 50


def index(request: Request) -> Answer:
    mine = select(Webhook).where(Webhook.project_id == request.caller.project_id).order_by(Webhook.created, Webhook.id)
    with request.services.database.read() as session:
        return Answer(200, {"webhooks": [_view(each) for each in session.scalars(mine)]})


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"webhook": _view(_one(session, request))})


def create(request: Request) -> Answer:
    """The secret that signs is told this once. The first event told is the webhook's own creation."""
    fields = request.fields("webhook")
    fields.only(("url", "kinds"))
    url, kinds = _url(fields, request), _kinds(fields)
    secret, now = Secret.generate(), clock.now()
    with request.services.database.write() as session:
        _check_room(session, request)
        hook = Webhook(id=str(uuid.uuid4()), project_id=request.caller.project_id, url=url, kinds=kinds)
        hook.secret, hook.created, hook.updated = secret.value, now, now
        hook.state, hook.failures, hook.fault, hook.failing_since = State.ACTIVE, 0, "", None
        hook.position = events.last(session)
        session.add(hook)
        _tell(session, hook, "create")
    return Answer(200, {"webhook": {**_view(hook), "secret": secret.value}})


def update(request: Request) -> Answer:
    """`state: active` resumes with the first event that was not taken; `rotate_secret` tells a new secret this once."""
    fields = request.fields("webhook")
    fields.only(("url", "kinds", "state", "rotate_secret"))
    url = _url(fields, request) if "url" in fields else None
    kinds = _kinds(fields) if "kinds" in fields else None
    state = fields.choice("state", (State.ACTIVE, State.PAUSED))
    secret = Secret.generate() if fields.flag("rotate_secret") else None
    with request.services.database.write() as session:
        hook = _one(session, request)
        hook.url, hook.kinds = url or hook.url, hook.kinds if kinds is None else kinds
        hook.secret = secret.value if secret else hook.secret
        hook.updated = clock.now()
        if state:
            hook.state, hook.failures, hook.failing_since = state, 0, None
        _tell(session, hook, "update")
        _wake(session, hook)
    return Answer(200, {"webhook": {**_view(hook), **({"secret": secret.value} if secret else {})}})


def delete(request: Request) -> Answer:
    with request.services.database.write() as session:
        hook = _one(session, request)
        session.delete(hook)
        _tell(session, hook, "delete")
        _wake(session, hook)
    return Answer(204)


def _one(session: Session, request: Request) -> Webhook:
    """Raises NotFound, also for another project's."""
    found = session.get(Webhook, request.path["id"][:36])
    if found is None or found.id != request.path["id"] or found.project_id != request.caller.project_id:
        raise errors.NotFound(f"Resource {request.path['id']} cannot be found.")
    return found


def _check_room(session: Session, request: Request) -> None:
    most = request.services.settings.webhooks.per_project
    mine = select(func.count()).select_from(Webhook).where(Webhook.project_id == request.caller.project_id)
    if (session.scalar(mine) or 0) >= most:
        raise errors.OverQuota(f"a project may have {most} webhooks: delete one first")


def _url(fields: Fields, request: Request) -> str:
    """Raises BadRequest, also for an address at which nothing is sent; what a name means is seen at each delivery."""
    url = fields.needed_text("url", most=webhooks.LONGEST_URL)
    host, options = webhooks.target(url).hostname or "", request.services.settings.webhooks
    lists = webhooks.networks(options.refused_networks), webhooks.networks(options.allowed_networks)
    try:
        refused = webhooks.refused(host, *lists)
    except ValueError:
        return url
    if refused:
        raise errors.BadRequest(f"this deployment sends nothing to {host}: see the setting webhooks.refused_networks")
    return url


def _kinds(fields: Fields) -> list[str]:
    """Raises BadRequest for what no event begins with."""
    asked: Sequence[Any] = fields.list("kinds")
    if len(asked) > MOST_KINDS:
        raise fields.wrong("kinds", f"must be {MOST_KINDS} at most")
    for each in asked:
        if not isinstance(each, str) or not any(kind.startswith(each) for kind in CATALOGUE):
            raise fields.wrong("kinds", f"{each!r} is the beginning of no kind of event")
    return list(asked)


def _tell(session: Session, hook: Webhook, verb: str) -> None:
    told = {"webhook_id": hook.id, "url": hook.url}
    events.tell(session, f"dbaas.webhook_{verb}", subject=hook.id, project_id=hook.project_id, **told)


def _wake(session: Session, hook: Webhook) -> None:
    """What is being delivered, or waits to be tried again, looks at the row anew."""
    session.flush()
    for run in session.scalars(select(Run.id).where(Run.subject == hook.id, Run.state == "active")):
        queue.wake(session, run)
    ring(session, "post")


def _view(hook: Webhook) -> dict[str, Any]:
    view = {
        "id": hook.id,
        "url": hook.url,
        "kinds": hook.kinds,
        "state": hook.state,
        "position": hook.position,
        "failures": hook.failures,
        "created": clock.timestamp(hook.created),
        "updated": clock.timestamp(hook.updated),
    }
    if hook.fault:
        view["fault"] = {"message": hook.fault, "created": clock.timestamp(hook.failing_since or hook.updated)}
    return view
