"""The api process: the REST API on its port, and beside it the local identity service on its own."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argosy import logs, serving
from argosy.api import application, refusals
from argosy.api.application import Application
from argosy.api.bell import SEATS, Bell
from argosy.api.exchange import Services
from argosy.api.policy import Policy
from argosy.api.rates import Rates
from argosy.db import sealed
from argosy.db.session import Database
from argosy.durable.doorbell import Doorbell
from argosy.identity.base import Identity
from argosy.identity.keystone import KeystoneIdentity
from argosy.identity.local import app as identity_app
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Api, Settings

log = logging.getLogger(__name__)

IDENTITY_THREADS = 4
SPOOLED = 16
"""Times the largest body that is taken in before it is refused: so far the connection stays good for an answer."""
CONNECTIONS = 1000
"""Open at once; more wait in the socket's backlog."""


def make_app(settings: Settings, database: Database, identity: Identity, bell: Bell | None = None) -> Application:
    """The WSGI application of the REST API."""
    policy, rates = Policy(settings.api.policy_file), Rates(settings.limits.requests_per_minute)
    return application.make(Services(settings, database, policy, rates, bell or Bell()), identity)


def run(settings: Settings) -> int:
    """Serve until SIGTERM: requests under way are answered, waiting ones at once with what there is."""
    logs.start("api")
    sealed.use(settings.keys / "master.key")
    database, bell = Database(settings.database_url), Bell()

    def stop(*_: object) -> None:
        bell.close()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    with _doorbell(settings, database, bell):
        servers = _listen(settings, database, bell)
        log.info("serving", extra={"host": settings.api.host, "port": settings.api.port})
        servers[0].run()  # one loop over the sockets of both
        for server in servers:
            server.task_dispatcher.shutdown()
    database.dispose()
    return 0


def _listen(settings: Settings, database: Database, bell: Bell) -> list[Any]:
    local = settings.identity.backend == "local"
    identity: Identity = LocalIdentity(database) if local else KeystoneIdentity(settings.identity)
    common = {"map": {}, "trusted_proxy": settings.api.trusted_proxy, **_limits(settings.api)}
    api = {"host": settings.api.host, "port": settings.api.port, "threads": settings.api.threads + SEATS}
    servers = [_server(make_app(settings, database, identity, bell), **api, **common)]
    if local:
        beside = {"host": settings.identity.host, "port": settings.identity.port, "threads": IDENTITY_THREADS}
        servers.append(_server(identity_app.make(settings, database), **beside, **common))
    return servers


def _server(app: Any, **options: Any) -> Any:
    """Raises Broken when the address cannot be had."""
    server = serving.server(app, **options)
    refusals.speak(server)
    return server


def _limits(options: Api) -> dict[str, Any]:
    largest = options.max_body * SPOOLED
    return {"connection_limit": CONNECTIONS, "max_request_body_size": largest}


@contextmanager
def _doorbell(settings: Settings, database: Database, bell: Bell) -> Iterator[None]:
    """Commits of ours ring others; rings of others wake our waiting requests."""
    doorbell = Doorbell(settings, "api")
    database.ring = doorbell.ring
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            if doorbell.wait(1.0):
                bell.ring()

    listener = threading.Thread(target=listen, name="doorbell", daemon=True)
    listener.start()
    try:
        yield
    finally:
        ended.set()
        listener.join()
        doorbell.close()
