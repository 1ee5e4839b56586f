"""The service catalog: where identity and databases are to be found, for version 3 and for version 2."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import falcon

from argosy.settings import Settings

INTERFACES = ("public", "internal", "admin")
_SPACE = uuid.UUID("0d8ef2c5-2f9b-4b5b-9f0e-7a1f6d1f6b6e")


@dataclass(frozen=True)
class Service:
    type: str
    name: str
    url: str
    """may hold {project}"""

    @property
    def id(self) -> str:
        return uuid.uuid5(_SPACE, self.type).hex

    def endpoint_id(self, interface: str) -> str:
        return uuid.uuid5(_SPACE, f"{self.type}/{interface}").hex


def services(settings: Settings, req: falcon.Request) -> tuple[Service, ...]:
    """With the addresses by which this client can reach us: the host that it asked for, unless one is configured."""
    host = f"[{req.host}]" if ":" in req.host else req.host  # an IPv6 address
    database = settings.api.public_endpoint or f"{req.scheme}://{host}:{settings.api.port}"
    return (
        Service("identity", "keystone", f"{req.prefix}/v3"),
        Service("database", "trove", f"{database.rstrip('/')}/v1.0/{{project}}"),
    )


def version_3(offered: tuple[Service, ...], project_id: str, region: str) -> list[dict[str, Any]]:
    return [
        {
            "id": service.id,
            "type": service.type,
            "name": service.name,
            "endpoints": [
                {
                    "id": service.endpoint_id(interface),
                    "interface": interface,
                    "region": region,
                    "region_id": region,
                    "url": service.url.format(project=project_id),
                }
                for interface in INTERFACES
            ],
        }
        for service in offered
    ]


def version_2(offered: tuple[Service, ...], project_id: str, region: str) -> list[dict[str, Any]]:
    entries = []
    for service in offered:
        url = service.url.format(project=project_id)
        if service.type == "identity":
            url = url.removesuffix("/v3") + "/v2.0"
        addresses = {f"{interface}URL": url for interface in INTERFACES}
        endpoint = {"id": service.endpoint_id("public"), "region": region, **addresses}
        entries.append({"type": service.type, "name": service.name, "endpoints_links": [], "endpoints": [endpoint]})
    return entries
