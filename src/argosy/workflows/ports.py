"""What several operations do with an instance's network port and the places where clients connect, written once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Endpoint, Instance
from argosy.durable.workflow import Context, Outcome, Wait
from argosy.providers.base import Outside, Port, PortSpec, State
from argosy.workflows import offers
from argosy.workflows.world import World

WRITER, PUBLIC = "writer", "public"
"""Roles of endpoints."""


def ensure(ctx: Context[World], access: Mapping[str, Any] | None = None) -> Port:
    """The instance's port, reached from outside as `access` says; without that as its row says. Raises CloudFailed."""
    with ctx.database.read() as session:
        instance = session.get_one(Instance, ctx.subject)
        service_port = offers.get(session, instance.version_id).engine.port
    port = ctx.world.provider.networks.ensure(spec(instance, service_port, access or instance.access or {}))
    if port.state is State.FAILED:
        raise errors.CloudFailed(port.fault)
    return port


def spec(instance: Instance, service_port: int, access: Mapping[str, Any]) -> PortSpec:
    return PortSpec(
        name=instance.id,
        project=instance.project_id,
        service_port=service_port,
        public=bool(access.get("is_public")),
        allowed=tuple(access.get("allowed_cidrs") or ()),
        requested=instance.nics[0] if instance.nics else {},
    )


def waiting(port: Port) -> Outcome:
    return Wait(0.1, "the network port is being made") if port.state is State.BUILDING else None


def write(session: Session, instance_id: str, port: Port) -> None:
    """Where the instance is reached, as its port says. Its certificate has to name it before it is told to anybody."""
    instance = session.get_one(Instance, instance_id)
    service_port = offers.get(session, instance.version_id).engine.port
    session.merge(endpoint(instance, port.address, service_port, port.network))
    if port.outside is None:
        close(session, instance_id)
    else:
        _write_public(session, _public(instance_id, port.outside))


def _write_public(session: Session, wanted: Endpoint) -> None:
    known = session.get(Endpoint, wanted.id)
    if known is not None and not {*wanted.names} <= {*known.names}:
        known.certificate_until = None  # so that the next turn of renew_certificates takes care of it
    session.merge(wanted)


def close(session: Session, instance_id: str) -> None:
    """Nobody is told of a public endpoint any more."""
    session.execute(delete(Endpoint).where(Endpoint.instance_id == instance_id, Endpoint.role == PUBLIC))


def endpoint(instance: Instance, host: str, port: int, network: str) -> Endpoint:
    """The one inside, which takes writes."""
    return Endpoint(
        id=_id(instance.id, WRITER),
        instance_id=instance.id,
        role=WRITER,
        host=host,
        port=port,
        network=network,
        names=[host],
    )


def _public(instance_id: str, outside: Outside) -> Endpoint:
    names = list(outside.hosts)
    return Endpoint(
        id=_id(instance_id, PUBLIC),
        instance_id=instance_id,
        role=PUBLIC,
        host=names[0],
        port=outside.port,
        network="",
        names=names,
    )


def _id(instance_id: str, role: str) -> str:
    return str(uuid.uuid5(uuid.UUID(instance_id), role))
