"""What the root helper accepts as an argument: names and numbers in narrow bounds, never a path.

Each check takes foreign JSON and returns a value of our own types, or raises BadRequest.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from argosy import errors
from argosy.model.guest import Secret, TlsMode
from argosy.providers.base import PortSpec, ServerSpec, Source

Check = Callable[[Any], Any]

NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TEMPLATE = re.compile(r"[a-z0-9][a-z0-9._+~-]{0,99}")
ENGINE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}")
TLS = re.compile("|".join(TlsMode))
WORDS = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{0,255}")
GIGABYTES = 65_536
MEBIBYTES = 16_777_216
NETWORKS = 1000
"""That one database may be reached from."""
BOOT_DOCUMENT = 65_536
"""Bytes."""


def refuse(what: str) -> errors.BadRequest:
    return errors.BadRequest(f"the root helper does not accept {what}")


def matching(pattern: re.Pattern[str], what: str) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise refuse(f"this {what}")

    return check


def whole(lowest: int, highest: int, what: str) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        raise refuse(f"this {what}: {lowest} to {highest}")

    return check


def processors(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 < value <= 1024:
        return float(value)
    raise refuse("this number of processors")


def yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise refuse("anything but true or false here")


def boot_document(value: Any) -> Secret:
    if isinstance(value, str) and value.isascii() and len(value) <= BOOT_DOCUMENT:
        return Secret(value)
    raise refuse("this boot document")


def sayings(value: Any) -> Mapping[str, str]:
    """A few words by name, kept as they came."""
    if isinstance(value, dict) and len(value) <= 16:
        return {words(name): words(said) for name, said in value.items()}
    raise refuse("this request for a network")


def ip_networks(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > NETWORKS:
        raise refuse("this list of networks")
    try:
        return tuple(str(ipaddress.ip_network(words(each), strict=False)) for each in value)
    except ValueError as error:
        raise refuse("this network") from error


def record(kind: type[Any], fields: Mapping[str, Check]) -> Check:
    def check(value: Any) -> Any:
        return kind(**checked(value, fields))

    return check


def checked(value: Any, fields: Mapping[str, Check]) -> dict[str, Any]:
    """Exactly these fields, each by its check."""
    if not isinstance(value, dict) or set(value) != set(fields):
        raise refuse(f"other fields than {', '.join(fields) or 'none'}")
    return {field: check(value[field]) for field, check in fields.items()}


name = matching(NAME, "name")
template = matching(TEMPLATE, "name of a template")
version = matching(VERSION, "version")
words = matching(WORDS, "text")
gigabytes = whole(1, GIGABYTES, "size in GiB")
mebibytes = whole(1, MEBIBYTES, "memory in MiB")


def name_or_nothing(value: Any) -> str:
    return "" if value == "" else str(name(value))


def template_or_nothing(value: Any) -> str:
    return "" if value == "" else str(template(value))


def version_or_nothing(value: Any) -> str:
    return "" if value == "" else str(version(value))


source = record(Source, {"template": template_or_nothing, "snapshot": name_or_nothing})
port = record(
    PortSpec,
    {
        "name": name,
        "project": words,
        "service_port": whole(0, 65_535, "port"),
        "public": yes_or_no,
        "allowed": ip_networks,
        "requested": sayings,
    },
)
server = record(
    ServerSpec,
    {
        "name": name,
        "generation": whole(0, 2**31, "generation"),
        "engine": matching(ENGINE, "engine"),
        "version": version,
        "ram": mebibytes,
        "vcpus": processors,
        "volume": name,
        "port": name,
        "tls": matching(TLS, "TLS mode"),
        "boot": boot_document,
        "before": version_or_nothing,
    },
)
