"""The conductor's own certificate: made at every start, renewed while it runs."""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import ssl
import tempfile

from argosy.guest.authority import Authority
from argosy.settings import Settings

READ_BYTES = 4096
"""read from a connection at once: a heartbeat and more"""
RENEWED_AT = 2 / 3
"""of its days"""


def slim() -> None:
    """Connections read little at a time: asyncio's 256 KiB for each would be 250 MB for a thousand guests."""
    asyncio.sslproto.SSLProtocol.max_size = READ_BYTES


class Certificate:
    """A TLS context that clients know by the deployment's authority. The private key never stays on disk."""

    def __init__(self, settings: Settings, authority: Authority) -> None:
        self._names = names(settings)
        self._days = settings.tls.certificate_days
        self._authority = authority
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An agent reads in one thread and writes in another, which OpenSSL allows only while nothing but data comes.
        self.context.num_tickets = 0
        self.renew()

    def renew(self) -> None:
        """New connections get a new certificate."""
        issued = self._authority.issue(self._names, self._days)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
            pair.write(issued.private_key + issued.certificate)
            pair.flush()
            self.context.load_cert_chain(pair.name)

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(self._days * 86_400 * RENEWED_AT)
            await asyncio.to_thread(self.renew)


def names(settings: Settings) -> list[str]:
    """What guests may call the conductor: the addresses it listens on, and this machine's own."""
    return list(dict.fromkeys([*hosts(settings), "127.0.0.1", "localhost"]))


def hosts(settings: Settings) -> list[str]:
    """What the conductor listens on: its setting, and where the provider's guests reach this host."""
    from argosy.workflows import world

    return list(dict.fromkeys([settings.conductor.host, world.build(settings).provider.doorstep]))
