"""/v3/domains: there is one."""

from __future__ import annotations

import falcon

from argosy import errors
from argosy.identity.local import views
from argosy.identity.local.people import DOMAIN
from argosy.identity.local.service import Service, asked


class Domains:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.service.bearer(req)
        name = asked(req, "name")
        shown = [_view(req)] if name in ("", DOMAIN.name) else []
        resp.media = views.collection(req, "domains", shown)


class OneDomain:
    def __init__(self, service: Service) -> None:
        self.service = service

    def on_get(self, req: falcon.Request, resp: falcon.Response, domain_id: str) -> None:
        self.service.bearer(req)
        if domain_id != DOMAIN.id:
            raise errors.NotFound(f"domain {domain_id} cannot be found")
        resp.media = {"domain": _view(req)}


def _view(req: falcon.Request) -> views.View:
    links = {"self": f"{req.prefix}/v3/domains/{DOMAIN.id}"}
    return {**views.domain(), "description": "The default domain", "enabled": True, "options": {}, "links": links}
