"""The conductor: the only door for guests. HTTPS and WebSocket, one process, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from argosy import errors, logs
from argosy.conductor import arrivals, sockets, tls
from argosy.conductor.bulk import Bulk
from argosy.conductor.desk import Desk
from argosy.conductor.doors import Doors, faulty
from argosy.conductor.objects import Objects
from argosy.conductor.tls import Certificate
from argosy.db import sealed
from argosy.db.session import Database
from argosy.durable.doorbell import Doorbell
from argosy.guest import authority
from argosy.model import wire
from argosy.settings import Settings
from argosy.stores import deployment

log = logging.getLogger(__name__)

GRACE_SECONDS = 3
KEEP_ALIVE_SECONDS = 75
IP_FREEBIND = 15
"""ip(7); the socket module does not name it"""
BACKLOG = 2048
"""connections that wait to be accepted: all guests come at once after a restart"""


def run(settings: Settings) -> int:
    """Serve guests until SIGTERM."""
    logs.start("conductor")
    sealed.use(settings.keys / "master.key")
    signing = authority.Current(settings.keys)
    database, bell = Database(settings.database_url), Doorbell(settings, "conductor")
    database.ring = bell.ring
    desk = Desk(settings, database, signing)
    tls.slim()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _nothing)  # uvicorn ends by raising the signal again once it has shut down
    try:
        asyncio.run(_serve(settings, desk, bell, Certificate(settings, signing, desk.shows)))
    finally:
        bell.close()
        database.dispose()
    return 0


def application(desk: Desk, *beside: Callable[[], Coroutine[Any, Any, None]]) -> Starlette:
    """The routes of the conductor, and what runs beside them."""
    store = deployment.Deferred(desk.settings)
    doors, bulk, objects = Doors(desk), Bulk(desk, store), Objects(desk, store)
    routes = [
        Route("/healthcheck", doors.healthcheck),
        Route("/v1/enrol", doors.enrol, methods=["POST"]),
        Route("/v1/guest/certificate", doors.certificate, methods=["POST"]),
        Route("/v1/guest/credential", doors.credential, methods=["POST"]),
        Route("/v1/guest/proof", doors.proof, methods=["POST"]),
        Route("/v1/guest/frames", doors.frames, methods=["POST"]),
        Route("/v1/guest/logs/{name}", bulk.log, methods=["PUT"]),
        *objects.routes(),
        WebSocketRoute("/v1/guest", functools.partial(sockets.serve, desk)),
    ]
    handlers = {errors.ArgosyError: faulty, Exception: faulty}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=lambda _app: _lifespan(desk, beside))


@contextlib.asynccontextmanager
async def _lifespan(desk: Desk, beside: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> AsyncIterator[None]:
    """What runs beside the requests. The tasks are held here: the loop itself would let them be collected."""
    tasks = [asyncio.create_task(each()) for each in (desk.intake.run, desk.dispatch.run, desk.watch, *beside)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await desk.close()


async def _serve(settings: Settings, desk: Desk, bell: Doorbell, certificate: Certificate) -> None:
    asyncio.get_running_loop().add_reader(bell, _rung, bell, desk)
    config = uvicorn.Config(
        application(desk, certificate.keep),
        http=arrivals.Protocol,
        log_config=None,
        log_level="warning",
        access_log=False,
        ws_max_size=wire.MAX_FRAME,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
        server_header=False,
    )
    config.load()
    config.ssl = certificate.context
    listening = [_listen(host, settings.conductor.port) for host in tls.hosts(settings)]
    log.info("listening", extra={"addresses": [each.getsockname() for each in listening]})
    await uvicorn.Server(config).serve(sockets=listening)


def _rung(bell: Doorbell, desk: Desk) -> None:
    bell.clear()
    desk.dispatch.ring()


def _listen(host: str, port: int) -> socket.socket:
    """A socket of this address, which may come into being later: a bridge is made with the first guest on it."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
    listening.bind(address)
    return listening


def _nothing(_number: int, _frame: FrameType | None) -> None:
    pass
