"""One call of a webhook: to an address that is allowed, within a set time, whatever the other side does."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from argosy import clock, errors
from argosy.model import webhooks
from argosy.settings import Webhooks

Deliver = Callable[[Webhooks, str, Mapping[str, str], bytes], None]


class Undelivered(errors.Unavailable):
    """the webhook was not delivered"""


@dataclass(frozen=True)
class Letter:
    host: str
    port: int
    place: str
    headers: Mapping[str, str]
    body: bytes


def post(options: Webhooks, url: str, headers: Mapping[str, str], body: bytes) -> None:
    """Returns once the other side has answered 2xx. Follows no redirect and reads no answer but its status.

    Raises Undelivered saying why.
    """
    parts = webhooks.target(url)
    place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    letter = Letter(parts.hostname or "", port, place, {"Host": parts.netloc, **headers}, body)
    context = ssl.create_default_context(cafile=options.authorities or None) if parts.scheme == "https" else None
    try:
        with _connected(options, letter) as raw:
            status = _ask(raw, context, letter)
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(f"{letter.host}: {_words(error)}") from error
    if not 200 <= status < 300:
        hint = ": redirects are not followed" if 300 <= status < 400 else ""
        raise Undelivered(f"{letter.host} answered {status}{hint}")


def _address(options: Webhooks, letter: Letter) -> str:
    """The first that is not refused; the connection goes to it and not to what the name means a moment later."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(letter.host, letter.port, type=socket.SOCK_STREAM)]
    refused, allowed = webhooks.networks(options.refused_networks), webhooks.networks(options.allowed_networks)
    for address in found:
        if not webhooks.refused(address, refused, allowed):
            return address
    raise Undelivered(f"{letter.host} is {', '.join(dict.fromkeys(found))}: this deployment sends nothing there")


@contextmanager
def _connected(options: Webhooks, letter: Letter) -> Iterator[socket.socket]:
    """A connection that is cut when the time is over: a drop of answer now and then does not prolong it.

    Raises Undelivered when it was.
    """
    address, end = _address(options, letter), clock.monotonic() + options.timeout_seconds
    late = threading.Event()
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(contextlib.closing(_open(options, address, letter.port)))
        spare = stack.enter_context(contextlib.closing(raw.dup()))
        timer = threading.Timer(max(0.0, end - clock.monotonic()), _cut, (spare, late))
        stack.callback(timer.join)
        stack.callback(timer.cancel)
        timer.start()
        try:
            yield raw
        finally:
            if late.is_set():
                raise Undelivered(_late(options, letter.host))


def _open(options: Webhooks, address: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((address, port), options.timeout_seconds)
    except TimeoutError as error:
        raise Undelivered(_late(options, address)) from error


def _cut(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _ask(raw: socket.socket, context: ssl.SSLContext | None, letter: Letter) -> int:
    raw.settimeout(None)  # the cut ends it
    with contextlib.closing(http.client.HTTPConnection(letter.host)) as connection:
        connection.sock = context.wrap_socket(raw, server_hostname=letter.host) if context else raw
        connection.putrequest("POST", letter.place, skip_host=True, skip_accept_encoding=True)
        for name, value in {**letter.headers, "Connection": "close"}.items():
            connection.putheader(name, value)
        connection.endheaders(letter.body)
        with contextlib.closing(connection.getresponse()) as answer:
            return answer.status


def _late(options: Webhooks, host: str) -> str:
    return f"{host}: no answer within {options.timeout_seconds:g} s"


def _words(error: Exception) -> str:
    """What the other side says instead of HTTP is told to nobody: it may be meant for others than a webhook's owner."""
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return f"no answer in HTTP ({type(error).__name__})"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
