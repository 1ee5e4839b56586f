"""The conductor's own certificate: made at every start, renewed while it runs and when the authority changes."""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import logging
import ssl
import tempfile
from collections.abc import Callable

from argosy import clock, errors
from argosy.guest.authority import Authority
from argosy.settings import Settings

log = logging.getLogger(__name__)

READ_BYTES = 4096
"""read from a connection at once: a heartbeat and more"""
RENEWED_AT = 2 / 3
"""of its days"""
LOOK_SECONDS = 2.0
"""between two looks for another authority"""


def slim() -> None:
    """Connections read little at a time: asyncio's 256 KiB for each would be 250 MB for a thousand guests."""
    asyncio.sslproto.SSLProtocol.max_size = READ_BYTES


class Certificate:
    """A TLS context that clients know by the deployment's authority. The private key never stays on disk."""

    def __init__(
        self, settings: Settings, authority: Callable[[], Authority], tell: Callable[[str], object] = lambda _name: None
    ) -> None:
        self._names = names(settings)
        self._days = settings.tls.certificate_days
        self._authority = authority
        self._tell = tell
        """called with the fingerprint of the authority whose certificate is shown by now, until it has not failed"""
        self._shown, self._told, self._due = "", "", 0.0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An agent reads in one thread and writes in another, which OpenSSL allows only while nothing but data comes.
        self.context.num_tickets = 0
        self.renew()

    def renew(self) -> None:
        """New connections get a new certificate."""
        signing = self._authority()
        issued = signing.issue(self._names, self._days)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
            pair.write(issued.private_key + issued.certificate)
            pair.flush()
            self.context.load_cert_chain(pair.name)
        self._shown, self._due = signing.fingerprint, clock.monotonic() + self._days * 86_400 * RENEWED_AT

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except errors.ArgosyError as error:
                log.error("the conductor's certificate cannot be renewed: %s", error.message)  # noqa: TRY400 - said
            except Exception:
                log.exception("the conductor's certificate cannot be renewed")

    def look(self) -> None:
        """Renew it if it is time, or another authority signs; tell which one it is by."""
        if self._authority().fingerprint != self._shown or clock.monotonic() > self._due:
            self.renew()
        if self._told != self._shown:
            self._tell(self._shown)
            self._told = self._shown


def names(settings: Settings) -> list[str]:
    """What guests may call the conductor: the addresses it listens on, and this machine's own."""
    return list(dict.fromkeys([*hosts(settings), "127.0.0.1", "localhost"]))


def hosts(settings: Settings) -> list[str]:
    """What the conductor listens on: its setting, and where the provider's guests reach this host."""
    from argosy.workflows import world

    return list(dict.fromkeys([settings.conductor.host, world.build(settings).provider.doorstep]))
