"""Redis's configuration file and access list, as text: pure functions of a guest's site."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from argosy import errors
from argosy.engines.redis import ENGINE
from argosy.model.guest import Secret, Site, TlsMode

MIB = 1024 * 1024

SERVER_BYTES = 12 * MIB
"""The process without data: 8 MB were measured."""

OURS = frozenset(
    {
        "aclfile", "aof-timestamp-enabled", "appenddirname", "appendfilename", "appendonly", "bind", "daemonize",
        "dbfilename", "dir", "include", "loadmodule", "logfile", "pidfile", "port", "protected-mode", "rename-command",
        "requirepass", "supervised", "tls-auth-clients", "tls-ca-cert-file", "tls-cert-file", "tls-key-file",
        "tls-port", "unixsocket", "unixsocketperm", "user",
    }
)  # fmt: skip
"""Settings that no override may change: identity, place, and who may come in."""

TENANT_RULES = (
    "~*", "&*", "+@all", "-@admin", "-migrate", "+client", "+latency", "+monitor",
    "+slowlog|get", "+slowlog|len", "+slowlog|reset", "+acl|whoami", "+acl|cat", "+acl|genpass",
)  # fmt: skip
"""All keys and channels, every command but those that administer the server or connect it to another."""

ADMINISTRATOR_RULES = ("~*", "&*", "+@all")


PLAIN: Mapping[TlsMode, int] = {TlsMode.BASIC: ENGINE.plain_offset, TlsMode.OFF: 0}
"""Where plaintext is spoken, from the endpoint's port on; in other modes nowhere."""


def usable_memory(memory: int) -> int:
    """Three fifths of what the process leaves: the rest is for a rewrite's copied pages and for clients' buffers."""
    return (memory - SERVER_BYTES) * 3 // 5


def settings(site: Site, socket: Path) -> dict[str, str]:
    """Everything that is not Redis's own default, before overrides, in the form in which CONFIG GET tells it."""
    return {**_place(site, socket), **_doors(site), **_memory(site), **_durability()}


def own(site: Site) -> dict[str, str]:
    """What a tenant may set and Argosy says otherwise than Redis."""
    return {**_memory(site), **_durability()}


def _place(site: Site, socket: Path) -> dict[str, str]:
    return {
        "dir": str(site.data / "db"),
        "aclfile": str(site.data / "db" / "users.acl"),
        "bind": site.address,
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "daemonize": "no",
        "logfile": "",
        "slowlog-log-slower-than": "10000",
        "aof-timestamp-enabled": "yes",
    }


def _doors(site: Site) -> dict[str, str]:
    """TLS on the endpoint's port. Redis cannot speak both on one, so in mode `basic` plaintext gets the next port: who
    speaks TLS does not notice. Without TLS the endpoint's port is plain.

    Without a certificate there is no TLS: with TLS enforced nobody but the agent comes in then.
    """
    plain = str(site.port + PLAIN[site.tls]) if site.tls in PLAIN else "0"
    if not site.certificate.exists():
        return {"port": plain}
    if site.tls is TlsMode.OFF:
        return {"tls-port": "0", "port": plain}
    return {
        "port": plain,
        "tls-cert-file": str(site.certificate),
        "tls-key-file": str(site.private_key),
        "tls-ca-cert-file": str(site.authority),
        "tls-auth-clients": "yes" if site.tls is TlsMode.MTLS else "no",
        "tls-port": str(site.port),
    }


def _memory(site: Site) -> dict[str, str]:
    return {
        "maxmemory": str(usable_memory(site.memory)),
        "maxmemory-policy": "noeviction",
        "maxclients": str(min(max(site.memory // MIB * 2, 100), 4000)),
        "maxmemory-clients": "10%",
    }


def _durability() -> dict[str, str]:
    """An acknowledged write is on the disk: every event loop's writes are flushed before its answers leave."""
    return {"appendonly": "yes", "appendfsync": "always", "save": ""}


def redis_conf(site: Site, socket: Path, overrides: Mapping[str, object]) -> str:
    return "".join(f"{name} {_quoted(value)}\n" for name, value in merged(site, socket, overrides).items())


def merged(site: Site, socket: Path, overrides: Mapping[str, object]) -> dict[str, str]:
    """Raises BadRequest for an override that is not a setting's name or not the tenant's to change."""
    for name in overrides:
        if name in OURS or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise errors.BadRequest(f"the setting {name!r} of Redis cannot be changed")
    return settings(site, socket) | {name: text(value) for name, value in overrides.items()}


def digest(password: Secret) -> str:
    """A password as the access list stores it, and the only form in which one reaches the server."""
    return "#" + hashlib.sha256(password.value.encode()).hexdigest()


def admits(access_list: str, administrator: str, secret: Secret) -> bool:
    """Whether the list, as we wrote it or as Redis rewrote it since, has our administrator with this password."""
    lines = [line.split() for line in access_list.splitlines()]
    return any(line[:2] == ["user", administrator] and digest(secret) in line for line in lines)


def access_list(before: str, administrator: str, secret: Secret) -> str:
    """The list with our administrator's line and without a default user, whatever else it says kept."""
    ours = ("user default ", f"user {administrator} ")
    others = [line for line in before.splitlines() if line and not line.startswith(ours)]
    rules = " ".join(ADMINISTRATOR_RULES)
    return "\n".join(["user default off", f"user {administrator} on {digest(secret)} {rules}", *others]) + "\n"


def text(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
