"""An instance as clients read it. Optional keys are absent, never null: clients test for presence."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from argosy import clock
from argosy.api.exchange import Request
from argosy.api.v1.instance_rows import Seen
from argosy.db.tables import Endpoint, Instance
from argosy.engines import registry
from argosy.engines.base import Capability
from argosy.model.guest import Health, TlsMode
from argosy.model.status import Facts, complaint, operating_status, status
from argosy.workflows import ports

GIGABYTE = 2**30
UNMEASURED = frozenset({"BUILD", "REBOOT", "RESIZE", "PROMOTE", "EJECT", "UPGRADE", "SHUTDOWN"})
"""Statuses under which Trove does not tell how full the volume is."""
SCANT = 2**24
"""Bytes free at which a volume counts as full."""


def summary(request: Request, seen: Seen) -> dict[str, Any]:
    """An item of the list, and the base of everything longer."""
    instance, facts = seen.instance, _facts(request, seen)
    view = {
        "id": instance.id,
        "name": instance.name,
        "status": status(facts),
        "operating_status": operating_status(facts),
        "links": request.links.of("instances", instance.id),
        "flavor": {"id": instance.flavor_id, "links": request.links.of("flavors", instance.flavor_id)},
        "datastore": {
            "type": seen.offer.datastore.name if seen.offer else None,
            "version": seen.offer.version.name if seen.offer else None,
        },
        "region": instance.region,
        "access": _access(seen),
        "volume": {"size": instance.gigabytes},
        **_addresses(seen),
    }
    if instance.tags:
        view["tags"] = instance.tags
    if request.caller.is_admin:
        view["tenant_id"] = instance.project_id
    return view


def detail(request: Request, seen: Seen, guarantees: list[str]) -> dict[str, Any]:
    """Everything but what has to be measured."""
    instance, view = seen.instance, summary(request, seen)
    view["created"], view["updated"] = clock.timestamp(instance.created), clock.timestamp(instance.updated)
    told = seen.claim.seen_at if seen.claim else None
    view["service_status_updated"] = clock.timestamp(told) if told else None
    if seen.offer:
        view["datastore"]["version_number"] = seen.offer.version.number
    view["endpoints"], view["guarantees"] = _endpoints(seen), guarantees
    view["deletion_protection"] = instance.protected
    extras = {**_asked(instance), **_origin(instance), **_configuration(request, seen), **_fault(request, seen)}
    return {**view, **extras, **_for_admins(request, instance)}


def whole(request: Request, seen: Seen, guarantees: list[str]) -> dict[str, Any]:
    """One instance, with how full its volume is."""
    view = detail(request, seen, guarantees)
    claim = seen.claim
    if claim and claim.volume_total and view["status"] not in UNMEASURED and not _facts(request, seen).silent:
        view["volume"]["used"] = round(claim.volume_used / GIGABYTE, 2)
        view["volume"]["used_percent"] = round(100 * claim.volume_used / claim.volume_total, 2)
    return view


def _facts(request: Request, seen: Seen) -> Facts:
    claim, stopped, backing_up = seen.claim, seen.instance.wanted == "stopped", seen.backing_up
    if claim is None or claim.seen_at is None:
        return Facts(seen.instance.task, Health.UNKNOWN, silent=True, stopped=stopped, backing_up=backing_up)
    # A report from the future is as old as one of the past: the clock was set back since.
    silent = abs(clock.now() - claim.seen_at) > request.services.settings.conductor.silent_seconds
    full = 0 < claim.volume_total < claim.volume_used + SCANT
    return Facts(seen.instance.task, claim.health, silent, claim.message, full, stopped, backing_up)


def _addresses(seen: Seen) -> dict[str, Any]:
    """The port is ours: more than one guest may share an address."""
    addresses = [_address(each, host) for each in _told_of(seen) for host in _hosts(each)]
    return (
        {"ip": list(dict.fromkeys(each["address"] for each in addresses)), "addresses": addresses} if addresses else {}
    )


def _address(endpoint: Endpoint, host: str) -> dict[str, Any]:
    if endpoint.role == ports.PUBLIC or _is_global(host):
        return {"address": host, "type": "public", "port": endpoint.port}
    network = {"network": endpoint.network} if endpoint.network else {}
    return {"address": host, "type": "private", "port": endpoint.port, **network}


def _told_of(seen: Seen) -> Sequence[Endpoint]:
    """A public one is told once it is open and its certificate names it: that ends with the instance's `access`."""
    public = bool((seen.instance.access or {}).get("is_public"))
    return [each for each in seen.endpoints if public or each.role != ports.PUBLIC]


def _hosts(endpoint: Endpoint) -> Sequence[str]:
    return endpoint.names if endpoint.role == ports.PUBLIC else [endpoint.host]


def _is_global(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _access(seen: Seen) -> Mapping[str, Any]:
    if seen.instance.access is not None:
        return seen.instance.access
    return {"is_public": any(_is_global(each.host) for each in seen.endpoints)} if seen.endpoints else {}


def _endpoints(seen: Seen) -> list[dict[str, Any]]:
    """Where clients connect; where plain connections have a port of their own, that too. It is not public."""
    inside = [_endpoint(seen, each) for each in seen.endpoints if each.role != ports.PUBLIC]
    outside = [
        _endpoint(seen, each) | {"host": host}
        for each in _told_of(seen)
        if each.role == ports.PUBLIC
        for host in each.names
    ]
    return [*inside, *_plain(seen, inside), *outside]


def _plain(seen: Seen, told: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    if seen.offer is None:
        return ()
    engine = registry.get(seen.offer.datastore.engine)
    if not engine.plain_offset or _tls(seen) != TlsMode.BASIC:
        return ()
    plain = {"scheme": engine.plain_scheme, "tls": TlsMode.OFF}
    return [{**each, "port": each["port"] + engine.plain_offset, **plain} for each in told]


def _endpoint(seen: Seen, endpoint: Endpoint) -> dict[str, Any]:
    view = {"role": endpoint.role, "host": endpoint.host, "port": endpoint.port}
    if seen.offer is None:
        return view
    engine, mode = registry.get(seen.offer.datastore.engine), _tls(seen)
    scheme = engine.plain_scheme or engine.scheme if mode == TlsMode.OFF else engine.scheme
    return {**view, "scheme": scheme, "tls": mode}


def _tls(seen: Seen) -> str:
    """The mode; a build without TLS has none."""
    able = seen.offer is not None and Capability.TLS in seen.offer.version.capabilities
    return seen.instance.tls_mode if able else TlsMode.OFF


def _asked(instance: Instance) -> dict[str, Any]:
    """What the request said about its place, told back."""
    told = {"availability_zone": instance.availability_zone, "nics": instance.nics, "locality": instance.locality}
    return {name: value for name, value in told.items() if value}


def _origin(instance: Instance) -> dict[str, Any]:
    """The backup that its data began as, with what was known of that one then."""
    told = instance.restored_from
    if not told:
        return {}
    moment = told.get("moment")
    ends = {"ends_at": clock.timestamp(instance.ends_at)} if instance.ends_at else {}
    return {"restored_from": {**told, "moment": clock.timestamp(moment) if moment else None}, **ends}


def _configuration(request: Request, seen: Seen) -> dict[str, Any]:
    found = seen.configuration
    if found is None:
        return {}
    links = request.links.of("configurations", found.id)
    return {"configuration": {"id": found.id, "name": found.name, "links": links}}


def _fault(request: Request, seen: Seen) -> dict[str, Any]:
    """What an operation has left; without that what the guest complains of now."""
    instance, now = seen.instance, complaint(_facts(request, seen))
    if instance.fault:
        details = instance.fault_details if request.caller.is_admin else None
        return _told(instance.fault, instance.fault_at or instance.updated, details)
    return _told(now, (seen.claim and seen.claim.health_at) or instance.updated) if now else {}


def _told(message: str, created: float, details: str | None = None) -> dict[str, Any]:
    return {"fault": {"message": message, "created": clock.timestamp(created), "details": details}}


def _for_admins(request: Request, instance: Instance) -> dict[str, Any]:
    """Server and volume carry the instance's own id: names are chosen before anything is made."""
    if not request.caller.is_admin:
        return {}
    return {"server_id": instance.id, "volume_id": instance.id, "encrypted_rpc_messaging": True}
