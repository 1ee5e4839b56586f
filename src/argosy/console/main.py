"""The console process: pages on a port of its own. It holds no key and opens no database."""

from __future__ import annotations

import logging
import signal
import sys

from argosy import logs, serving
from argosy.console import app
from argosy.settings import Settings

log = logging.getLogger(__name__)

THREADS = 4
LARGEST = 16_384
"""Bytes of a request's body: the largest form is that of a login."""


def run(settings: Settings) -> int:
    """Serve until SIGTERM."""
    logs.start("console")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = serving.server(
        app.make(settings),
        trusted_proxy=settings.api.trusted_proxy,
        host=settings.console.host,
        port=settings.console.port,
        threads=THREADS,
        max_request_body_size=LARGEST,
    )
    log.info("serving", extra={"host": settings.console.host, "port": settings.console.port})
    server.run()
    return 0
