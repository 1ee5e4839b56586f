"""The WSGI application: request ids around everything, then format, token and tenant, then the route's handler."""

from __future__ import annotations

import functools
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import falcon
import falcon.routing

from argosy import clock, errors, logs
from argosy.api import faults, formats, openapi
from argosy.api.exchange import Answer, Request, Services
from argosy.api.formats import Format
from argosy.api.links import Links
from argosy.api.measures import Measures
from argosy.api.route import Route
from argosy.api.routes import ROUTES
from argosy.db.actors import ARGOSY, Actor, acting
from argosy.identity.base import Identity
from argosy.model.caller import Caller

log = logging.getLogger(__name__)

TENANT = re.compile(r"/v1\.0/([^/]+)")
"""Every path below a project needs a token of that project."""
REQUEST_ID = "argosy.request_id"
ROUTE = "argosy.route"
"""Template of the path, where there is one."""
BODIES = ("POST", "PUT", "PATCH")
Environment = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environment, Start], Iterable[bytes]]


def make(services: Services, identity: Identity) -> Application:
    app = falcon.App(middleware=[Gate(services, identity)])
    app.req_options.strip_url_path_trailing_slash = True
    app.add_error_handler(Exception, _refuse)
    app.add_error_handler(falcon.HTTPError, _refuse)
    for path in dict.fromkeys(route.path for route in ROUTES):
        app.add_route(path, Resource(services, [route for route in ROUTES if route.path == path]))
    return identified(app, services.measures)


def identified(app: Application, measures: Measures) -> Application:
    """Every answer carries a request id, and every line logged on the way too."""

    def call(environ: Environment, start_response: Start) -> Iterable[bytes]:
        name, begun = f"req-{uuid.uuid4()}", clock.monotonic()
        ids = [("x-openstack-request-id", name), ("x-compute-request-id", name)]

        environ[REQUEST_ID] = name

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            seconds = clock.monotonic() - begun
            measures.answered(environ["REQUEST_METHOD"], environ.get(ROUTE, ""), status[:3], seconds)
            told = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "status": int(status[:3])}
            log.log(
                _level(environ["REQUEST_METHOD"], status),
                "answered",
                extra={**told, "milliseconds": round(seconds * 1000, 1)},
            )
            return start_response(status, [*headers, *ids], *more)

        with logs.bound(request=name):
            return app(environ, start)

    return call


def _level(method: str, status: str) -> int:
    """Reading without trouble is not news: clients poll."""
    return logging.DEBUG if method in ("GET", "HEAD") and status < "400" else logging.INFO


class Gate:
    """Before routing: which format, whose token, which project, and how often."""

    def __init__(self, services: Services, identity: Identity) -> None:
        self._services = services
        self._identity = identity

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        req.context.format = Format.JSON
        wanted = formats.wanted(req.path, req.accept)
        req.context.format, req.path = wanted.format, wanted.path
        if not req.path.isprintable():
            raise errors.NotFound(faults.UNFOUND)  # database servers refuse to be asked for a NUL
        req.context.caller = None
        tenant = TENANT.match(req.path)
        if tenant:
            req.context.caller = self._admit(req, tenant[1])

    def _admit(self, req: falcon.Request, project: str) -> Caller:
        known = self._identity.authenticate(_token(req))
        caller = self._services.policy.recognise(known)
        if caller.project_id != project:
            raise errors.Forbidden(f"User with tenant id {caller.project_id} cannot access this resource.")
        self._services.rates.spend(project, req.method)
        return caller


def _token(req: falcon.Request) -> str:
    """Also as a bearer token: Prometheus cannot send it otherwise."""
    return req.get_header("X-Auth-Token") or (req.get_header("Authorization") or "").removeprefix("Bearer ")


class Resource:
    """The routes of one path, one responder for each method. Any other method is as unknown as any other path."""

    def __init__(self, services: Services, routes: Iterable[Route]) -> None:
        self._services = services
        for method in falcon.COMBINED_METHODS:
            setattr(self, f"on_{method.lower()}", _unknown)
        for route in routes:
            setattr(self, f"on_{route.method.lower()}", self._responder(route))

    def _responder(self, route: Route) -> Callable[..., None]:
        def respond(req: falcon.Request, resp: falcon.Response, **path: str) -> None:
            req.env[ROUTE] = route.path
            request = self._request(route, req, path)
            if route.for_administrators:
                request.administer()
            if route.rule:
                request.permit(request.caller.project_id)
            with acting(_actor(req)):
                _send(resp, req, route.handler(request))

        return respond

    def _request(self, route: Route, req: falcon.Request, path: Mapping[str, str]) -> Request:
        settings = self._services.settings
        base = settings.api.public_endpoint.rstrip("/") or req.prefix
        return Request(
            services=self._services,
            rule=route.rule,
            path=path,
            query=_query(req),
            body=_body(req, settings.api.max_body, route) if req.method in BODIES else None,
            links=Links(base, path.get("project", ""), req.path),
            who=req.context.caller,
            address=req.remote_addr,
            header=req.get_header,
        )


def _query(req: falcon.Request) -> Mapping[str, str]:
    """Of a name that is given twice the last. Raises BadRequest, also because database servers refuse a NUL."""
    query = {name: value if isinstance(value, str) else value[-1] for name, value in req.params.items()}
    for name, value in query.items():
        if not value.isprintable():
            raise errors.BadRequest(f"{name!r} in the query must not hold control characters")
    return query


def _actor(req: falcon.Request) -> Actor:
    """Who is answerable for what this request changes."""
    caller: Caller | None = req.context.caller
    if caller is None:
        return ARGOSY
    return Actor(caller.user_id, caller.project_id, req.env[REQUEST_ID])


def _unknown(_req: falcon.Request, _resp: falcon.Response, **_path: str) -> None:
    raise errors.NotFound(faults.UNFOUND)


def _body(req: falcon.Request, most: int, route: Route) -> Mapping[str, Any] | None:
    """None without a Content-Type or without content. Raises TooLarge, UnsupportedMedia, BadRequest."""
    if (req.content_length or 0) > most:
        raise errors.TooLarge(f"the request body is larger than {most} bytes")
    if not req.content_type or not req.content_length:
        return None
    reader = functools.partial(openapi.reader, route.method, route.path)
    value = formats.of_body(req.content_type).read(req.bounded_stream.read(), reader)
    if not isinstance(value, dict):
        raise errors.BadRequest("Malformed request body: it must be an object")
    return value


def _refuse(req: falcon.Request, resp: falcon.Response, error: Exception, _path: Any) -> None:
    _send(resp, req, faults.answer(error))


def _send(resp: falcon.Response, req: falcon.Request, answer: Answer) -> None:
    written: Format = getattr(req.context, "format", Format.JSON)
    resp.status = falcon.code_to_http_status(answer.status)
    if answer.body is not None:
        resp.content_type, resp.data = written, written.write(answer.body)
    elif answer.text is not None:
        resp.content_type, resp.text = answer.media_type, answer.text
    if answer.status == 401:
        resp.set_header("WWW-Authenticate", "Keystone")
    for name, value in answer.headers.items():
        resp.set_header(name, value)
