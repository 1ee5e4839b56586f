"""How to connect to a database: its URL, and the command line of its own client. TLS is verified wherever it is on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from argosy import errors
from argosy.client.resources import Document

MASTER = "root"
"""The master user that every instance has."""


class NotReachable(errors.Rejected):
    """the instance has no address yet: wait until it is ACTIVE"""

    status = 422


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    authority: Path | None
    """PEM file that the server's certificate is verified by; None where the server speaks no TLS"""
    user: str = MASTER
    password: str = field(default="", repr=False)
    database: str = ""


@dataclass(frozen=True)
class Command:
    """A client to run; the password is in the environment, never among the arguments."""

    programs: tuple[str, ...]
    """names that it may have, the first found is taken"""
    package: str
    """Debian's, that brings it"""
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def target(instance: Document, authority: Path, password: str, database: str = "", *, public: bool = False) -> Target:
    """The endpoint that takes writes; `public`: the one outside. Raises NotReachable."""
    endpoints: Sequence[Document] = instance.get("endpoints", ())
    if not endpoints:
        raise NotReachable(f"{instance['name']} has no address yet: its status is {instance['status']}")
    if public:
        endpoints = [each for each in endpoints if each["role"] == "public"]
        if not endpoints:
            raise NotReachable(f"{instance['name']} is not public: argosy db access {instance['name']} --public")
    first = min(endpoints, key=lambda each: each["role"] != "writer")
    trusted = authority if first.get("tls", "off") != "off" else None
    return Target(first["scheme"], first["host"], first["port"], trusted, password=password, database=database)


def url(to: Target) -> str:
    """The whole URL, as libpq, MySQL's clients and redis-py read it; without the password where there is none."""
    family = family_of(to.scheme)
    secret = f":{quote(to.password, safe='')}" if to.password else ""
    host = f"[{to.host}]" if ":" in to.host else to.host
    query = urlencode(family.flags(to.authority), safe="/") if to.authority else ""
    scheme = family.scheme if to.authority else family.plain
    database = quote(to.database or family.database, safe="")
    return f"{scheme}://{quote(to.user, safe='')}{secret}@{host}:{to.port}/{database}" + (f"?{query}" if query else "")


def shell(to: Target, statement: str) -> Command:
    """The engine's own client; with `statement` it runs that and ends."""
    return family_of(to.scheme).shell(to, statement)


def _psql(to: Target, statement: str) -> Command:
    told = {"host": to.host, "port": to.port, "user": to.user, "dbname": to.database or "postgres"}
    tls = _libpq(to.authority) if to.authority else {}
    words = " ".join(f"{name}={_libpq_value(value)}" for name, value in {**told, **tls}.items())
    more = ("-c", statement) if statement else ()
    return Command(("psql",), "postgresql-client", ("-X", "-d", words, *more), {"PGPASSWORD": to.password})


def _mariadb(to: Target, statement: str) -> Command:
    tls = (f"--ssl-ca={to.authority}", "--ssl-verify-server-cert") if to.authority else ()
    more = ("-e", statement) if statement else ()
    arguments = (f"--host={to.host}", f"--port={to.port}", f"--user={to.user}", *tls, *more)
    database = (to.database,) if to.database else ()
    return Command(("mariadb", "mysql"), "mariadb-client", (*arguments, *database), {"MYSQL_PWD": to.password})


def _redis_cli(to: Target, statement: str) -> Command:
    tls = ("--tls", "--cacert", str(to.authority)) if to.authority else ()
    arguments = ("-h", to.host, "-p", str(to.port), "--user", to.user, *tls, *statement.split())
    return Command(("redis-cli",), "redis-tools", arguments, {"REDISCLI_AUTH": to.password})


def _libpq_value(value: object) -> str:
    """Quoted as libpq's connection strings want it."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _libpq(authority: Path) -> Mapping[str, str]:
    return {"sslmode": "verify-full", "sslrootcert": str(authority)}


@dataclass(frozen=True)
class Family:
    """Engines whose URLs and clients are alike."""

    scheme: str
    plain: str
    """the scheme where there is no TLS"""
    database: str
    """named in the URL when nobody names one"""
    flags: Callable[[Path], Mapping[str, str]]
    """what the URL's query says to have the server's certificate verified"""
    shell: Callable[[Target, str], Command]


FAMILIES: Mapping[str, Family] = {
    "postgresql": Family("postgresql", "postgresql", "postgres", _libpq, _psql),
    "mysql": Family(
        "mysql", "mysql", "", lambda authority: {"ssl-mode": "VERIFY_IDENTITY", "ssl-ca": str(authority)}, _mariadb
    ),
    "rediss": Family(
        "rediss",
        "redis",
        "0",
        lambda authority: {"ssl_cert_reqs": "required", "ssl_ca_certs": str(authority)},
        _redis_cli,
    ),
}
"""By the scheme that the API tells for an endpoint with TLS."""


def family_of(scheme: str) -> Family:
    """Also by the scheme of an endpoint without TLS. Raises KeyError."""
    return FAMILIES[next((each.scheme for each in FAMILIES.values() if each.plain == scheme), scheme)]
