"""/v3/services, /v3/endpoints and /v3/regions: the catalog as admins look it up."""

from __future__ import annotations

import falcon

from argosy import errors
from argosy.identity.local import catalog, views
from argosy.identity.local.service import Service, asked

PROJECT = "%(project_id)s"
"""How Keystone writes the project into the address of an endpoint."""


class Services:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.admin(req)
        wanted = {"name": asked(req, "name"), "type": asked(req, "type")}
        resp.media = views.collection(req, "services", _matching(_services(self.service, req), wanted))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, one_id: str) -> None:
        self.service.admin(req)
        resp.media = {"service": _one(_services(self.service, req), one_id)}


class Endpoints:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.admin(req)
        wanted = {name: asked(req, name) for name in ("service_id", "interface", "region_id")}
        resp.media = views.collection(req, "endpoints", _matching(_endpoints(self.service, req), wanted))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, one_id: str) -> None:
        self.service.admin(req)
        resp.media = {"endpoint": _one(_endpoints(self.service, req), one_id)}


class Regions:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.bearer(req)
        resp.media = views.collection(req, "regions", [self._view(req)])

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, one_id: str) -> None:
        self.service.bearer(req)
        resp.media = {"region": _one([self._view(req)], one_id)}

    def _view(self, req: falcon.Request) -> views.View:
        region = self.service.settings.identity.region
        links = {"self": f"{req.prefix}/v3/regions/{region}"}
        return {"id": region, "description": "", "parent_region_id": None, "links": links}


def _services(service: Service, req: falcon.Request) -> list[views.View]:
    return [
        {
            "id": each.id,
            "type": each.type,
            "name": each.name,
            "description": "",
            "enabled": True,
            "links": {"self": f"{req.prefix}/v3/services/{each.id}"},
        }
        for each in catalog.services(service.settings, req)
    ]


def _endpoints(service: Service, req: falcon.Request) -> list[views.View]:
    offered = catalog.services(service.settings, req)
    entries = catalog.version_3(offered, PROJECT, service.settings.identity.region)
    return [
        {
            **endpoint,
            "service_id": entry["id"],
            "enabled": True,
            "links": {"self": f"{req.prefix}/v3/endpoints/{endpoint['id']}"},
        }
        for entry in entries
        for endpoint in entry["endpoints"]
    ]


def _matching(entries: list[views.View], wanted: dict[str, str]) -> list[views.View]:
    return [each for each in entries if all(value in ("", each[name]) for name, value in wanted.items())]


def _one(entries: list[views.View], one_id: str) -> views.View:
    """Raises NotFound."""
    for each in entries:
        if each["id"] == one_id:
            return each
    raise errors.NotFound(f"{one_id} cannot be found")
