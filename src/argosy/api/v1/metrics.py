"""Numbers for Prometheus: of the deployment for its operator, of instances for their project."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from argosy import clock, errors
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import instance_rows
from argosy.db import measures
from argosy.db.tables import Datastore, DatastoreVersion, Guest, Instance
from argosy.model import metrics
from argosy.model.guest import Health
from argosy.model.metrics import REPORTED, Sample
from argosy.settings import Settings

BEARER = "Bearer "
LOOK = (
    select(
        Instance.id, Instance.name, Datastore.name.label("datastore"), DatastoreVersion.name.label("version"),
        Guest.health, Guest.seen_at, Guest.volume_used, Guest.volume_total, Guest.metrics,
    )
    .join(Guest, Guest.id == Instance.id)
    .outerjoin(DatastoreVersion, DatastoreVersion.id == Instance.version_id)
    .outerjoin(Datastore, Datastore.id == DatastoreVersion.datastore_id)
    .where(Instance.deleted.is_(False))
    .order_by(Instance.id)
)  # fmt: skip


def deployment(request: Request) -> Answer:
    """Of the whole deployment, for who has the operator's token; without one set, for this machine only."""
    _permit(request)
    with request.services.database.read() as session:
        samples = [*measures.samples(session), *request.services.measures.samples()]
    return Answer(200, text=metrics.exposition(samples), media_type=metrics.MEDIA_TYPE)


def project(request: Request) -> Answer:
    """Of every instance of the project."""
    return _told(request, Instance.project_id == request.caller.project_id)


def instance(request: Request) -> Answer:
    with request.services.database.read() as session:
        found = instance_rows.one(session, request)
    return _told(request, Instance.id == found.id)


def _permit(request: Request) -> None:
    """Raises Unauthorized, or Forbidden with what would help."""
    settings = request.services.settings
    if settings.metrics.token:
        shown = (request.header("Authorization") or "").removeprefix(BEARER)
        if not hmac.compare_digest(shown.encode(), settings.metrics.token.encode()):
            raise errors.Unauthorized
    elif _behind_a_proxy(settings) or not ipaddress.ip_address(request.address).is_loopback:
        raise errors.Forbidden("without metrics.token in argosy.toml only this machine itself may read the metrics")


def _behind_a_proxy(settings: Settings) -> bool:
    """Then everybody may come from this machine's own address."""
    return bool(settings.api.trusted_proxy or settings.api.public_endpoint)


def _told(request: Request, which: Any) -> Answer:
    silent = request.services.settings.conductor.silent_seconds
    with request.services.database.read() as session:
        rows = session.execute(LOOK.where(which)).all()
    samples = [sample for row in rows for sample in _samples(row, silent)]
    return Answer(200, text=metrics.exposition(samples), media_type=metrics.MEDIA_TYPE)


def _samples(row: Any, silent: float) -> Iterator[Sample]:
    values = (row.id, row.name, row.datastore or "", row.version or "")
    labels = dict(zip(metrics.OF_INSTANCE, values, strict=True))
    age = abs(clock.now() - row.seen_at) if row.seen_at else None
    heard = age is not None and age <= silent
    yield Sample(metrics.UP, heard and row.health == Health.HEALTHY, labels)
    if age is not None:
        yield Sample(metrics.HEARTBEAT_AGE, age, labels)
    if not heard:  # what was measured long ago is not so any more
        return
    yield Sample(metrics.VOLUME, row.volume_total, labels)
    yield Sample(metrics.VOLUME_USED, row.volume_used, labels)
    for name, value in row.metrics.items():
        if name in REPORTED:
            yield Sample(REPORTED[name], value, labels)
