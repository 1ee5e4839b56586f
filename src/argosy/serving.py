"""HTTP servers of the control plane, by waitress."""

from __future__ import annotations

import errno
from typing import Any

import waitress

from argosy import errors

FORWARDED = frozenset({"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"})


def server(app: Any, *, trusted_proxy: str = "", **options: Any) -> Any:
    """One that listens already; `run` serves. Raises Broken when the address cannot be had.

    Forwarded headers are believed from this proxy, and dropped from everybody else. `options` are waitress's.
    """
    try:
        return waitress.create_server(app, ident="argosy", **_proxy(trusted_proxy), **options)
    except OSError as error:
        raise errors.Broken(_unbound(error, options["host"], options["port"])) from error


def _unbound(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or choose another in argosy.toml"
    return f"port {port} of {host} cannot be listened on: {error.strerror}"


def _proxy(address: str) -> dict[str, Any]:
    believed = {"trusted_proxy": address, "trusted_proxy_headers": set(FORWARDED)} if address else {}
    return {"clear_untrusted_proxy_headers": True, **believed}
