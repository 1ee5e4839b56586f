"""GET /, /v3 and /v2.0: which versions are spoken here."""

from __future__ import annotations

from typing import Any

import falcon


class Root:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.status = falcon.HTTP_300
        resp.media = {"versions": {"values": [version_3(req), version_2(req)]}}


class Version3:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"version": version_3(req)}


class Version2:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"version": version_2(req)}


def version_3(req: falcon.Request) -> dict[str, Any]:
    return _version(f"{req.prefix}/v3/", id="v3.14", status="stable", updated="2020-04-07T00:00:00Z")


def version_2(req: falcon.Request) -> dict[str, Any]:
    return _version(f"{req.prefix}/v2.0/", id="v2.0", status="deprecated", updated="2016-08-04T00:00:00Z")


def _version(href: str, **fields: str) -> dict[str, Any]:
    kind = f"application/vnd.openstack.identity-{fields['id'].partition('.')[0]}+json"
    media = [{"base": "application/json", "type": kind}]
    return {**fields, "links": [{"rel": "self", "href": href}], "media-types": media}
