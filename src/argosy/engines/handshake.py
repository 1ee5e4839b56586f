"""The facet Handshake: which certificate a server shows at its endpoint, asked as a client would."""

from __future__ import annotations

import socket as sockets
import ssl
from pathlib import Path
from typing import Protocol, runtime_checkable

from argosy.model.guest import Site

SECONDS = 2.0
"""for each thing that is said"""


@runtime_checkable
class Handshake(Protocol):
    site: Site

    @property
    def socket(self) -> Path:
        """Of the administrator: who listens there listens at the endpoint, too."""

    def ask_for_tls(self, connection: sockets.socket) -> bool:
        """Say what a client says before a handshake; whether one may follow. Raises OSError, Rejected."""


def shown(driver: Handshake) -> bytes:
    """The certificate (DER) that is shown just now; nothing where the server speaks no TLS. Raises OSError, and
    Rejected where the server lets nobody in from here.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is looked at, and nothing is told to it
    with sockets.create_connection((driver.site.address, driver.site.port), SECONDS) as raw:
        if not driver.ask_for_tls(raw):
            return b""
        with context.wrap_socket(raw) as connection:
            return connection.getpeercert(binary_form=True) or b""


def given(driver: Handshake) -> bytes:
    """The one that it is to show, likewise."""
    end = "-----END CERTIFICATE-----"
    first = driver.site.certificate.read_text(encoding="ascii").partition(end)[0]
    return ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :] + end + "\n")
