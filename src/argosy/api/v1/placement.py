"""Where an instance goes and who may reach it: `nics`, `access`, `locality`. Told back, and used where it can be."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.fields import Fields
from argosy.db.tables import Endpoint, Fact

LOCALITIES = ("affinity", "soft-affinity", "anti-affinity", "soft-anti-affinity")
IDS = ("net-id", "network_id", "subnet_id", "port-id")
FIXED = ("ip_address", "v4-fixed-ip")
"""Trove's name for the address that is wanted, and Heat's."""
MOST_NETWORKS = 1000
ADDRESSES = {"ip_address": 4, "v4-fixed-ip": 4, "v6-fixed-ip": 6}


def nics(fields: Fields) -> tuple[dict[str, Any], ...]:
    """At most one, as in Trove; with the keys that Heat and gophercloud send besides. Raises BadRequest."""
    items = fields.objects("nics")
    if len(items) > 1:
        raise fields.wrong("nics", "must hold at most one item")
    return tuple(_nic(each) for each in items)


def _nic(fields: Fields) -> dict[str, Any]:
    fields.only((*IDS, *ADDRESSES))
    for name in IDS:
        _check_id(fields, name)
    for name, version in ADDRESSES.items():
        _check_address(fields, name, version)
    if not any(name in fields for name in IDS):
        raise errors.BadRequest("network or subnet of a NIC was not specified.")
    if "ip_address" in fields and "subnet_id" not in fields:
        raise errors.BadRequest("subnet_id of a NIC must be specified together with its ip_address.")
    return {name: value for name, value in fields.values.items() if value is not None}


def _check_id(fields: Fields, name: str) -> None:
    try:
        uuid.UUID(fields.text(name) or str(uuid.NAMESPACE_DNS))
    except ValueError as error:
        raise fields.wrong(name, "must be a uuid") from error


def _check_address(fields: Fields, name: str, version: int) -> None:
    text = fields.text(name)
    try:
        fits = text is None or ipaddress.ip_address(text).version == version
    except ValueError:
        fits = False
    if not fits:
        raise fields.wrong(name, f"must be an IPv{version} address")


def access(fields: Fields) -> dict[str, Any] | None:
    """As it came, once it is well formed; None when the request says nothing about it. Raises BadRequest."""
    if "access" not in fields:
        return None
    said = fields.object("access")
    said.only(("is_public", "allowed_cidrs"))
    public, networks = said.flag("is_public"), said.list("allowed_cidrs")
    told: dict[str, Any] = {} if public is None else {"is_public": public}
    if "allowed_cidrs" in said:
        _check_networks(said, networks)
        told["allowed_cidrs"] = list(networks)
    return told


def require_free(session: Session, nics: Sequence[dict[str, Any]]) -> None:
    """Raises BadRequest for a requested address that no instance can have here, or that another one has."""
    wanted = next((each[name] for each in nics for name in FIXED if name in each), "")
    fact = session.get(Fact, "provider")
    network = fact.value.get("network") if fact else None
    if not wanted or not network:
        return
    if ipaddress.ip_address(wanted) not in ipaddress.ip_network(network):
        raise errors.BadRequest(f"Address {wanted} is not in the network of this deployment: choose one of {network}.")
    if session.scalars(select(Endpoint.id).where(Endpoint.host == wanted).limit(1)).first():
        raise errors.BadRequest(f"Address {wanted} is taken: choose another one of {network}.")


def _check_networks(fields: Fields, networks: Any) -> None:
    if len(networks) > MOST_NETWORKS:
        raise fields.wrong("allowed_cidrs", f"must hold {MOST_NETWORKS} networks at most")
    try:
        seen = {ipaddress.ip_network(each if isinstance(each, str) else "", strict=False) for each in networks}
    except ValueError as error:
        raise fields.wrong("allowed_cidrs", f"must be networks such as 10.0.0.0/8: {error}") from error
    if len(seen) < len(networks):
        raise fields.wrong("allowed_cidrs", "must be unique")
