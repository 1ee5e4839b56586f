"""What the root helper is asked and what it answers: one line of JSON each, over a Unix socket.

    {"verb": "volumes.grow", "arguments": {"name": "…", "gigabytes": 2}}
    {"result": {…}}  or  {"error": {"kind": "CloudBusy", "message": "…"}}

The verbs are the methods of Compute, Volumes and Networks, and `ping`. There are no others.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from argosy import errors
from argosy.model.guest import Secret
from argosy.providers.base import Outside, Port, Server, State, Usage, Volume
from argosy.providers.local.helper import checks

LONGEST = 262_144
"""Bytes of a request: a boot document with all of it escaped, and room to spare."""

NAMED: Mapping[str, checks.Check] = {"name": checks.name}

VERBS: Mapping[str, Mapping[str, checks.Check]] = {
    "ping": {},
    "compute.ensure": {"spec": checks.server},
    "compute.look": NAMED,
    "compute.stop": NAMED,
    "compute.announce": {"name": checks.name, "ram": checks.mebibytes, "vcpus": checks.processors},
    "compute.resize": {"name": checks.name, "ram": checks.mebibytes, "vcpus": checks.processors},
    "compute.renew_agent": NAMED,
    "compute.delete": NAMED,
    "compute.fence": NAMED,
    "compute.owned": {},
    "volumes.ensure": {"name": checks.name, "gigabytes": checks.gigabytes, "source": checks.source},
    "volumes.grow": {"name": checks.name, "gigabytes": checks.gigabytes},
    "volumes.gather": NAMED,
    "volumes.begin_snapshot": {"name": checks.name, "snapshot": checks.name},
    "volumes.snapshot": {"name": checks.name, "snapshot": checks.name},
    "volumes.revert": {"name": checks.name, "snapshot": checks.name},
    "volumes.remake": {"name": checks.name, "source": checks.source, "mark": checks.name},
    "volumes.snapshots": {},
    "volumes.delete_snapshot": {"snapshot": checks.name},
    "volumes.delete": NAMED,
    "volumes.usage": NAMED,
    "volumes.owned": {},
    "volumes.templates": {},
    "volumes.make_template": {"name": checks.template, "volume": checks.name},
    "volumes.delete_template": {"name": checks.template},
    "networks.ensure": {"spec": checks.port},
    "networks.look": NAMED,
    "networks.delete": NAMED,
    "networks.owned": {},
}

LOOKS = frozenset(
    {
        "ping",
        "compute.look",
        "compute.owned",
        "volumes.usage",
        "volumes.owned",
        "volumes.snapshots",
        "volumes.templates",
        "networks.look",
        "networks.owned",
    }
)
"""Verbs that change nothing: asked often, and not worth a line in the log each."""

KINDS: Mapping[str, type[errors.ArgosyError]] = {
    kind.__name__: kind
    for kind in (
        errors.CloudBusy,
        errors.CloudFailed,
        errors.BadRequest,
        errors.Forbidden,
        errors.NotFound,
        errors.NotSupported,
    )
}
"""The errors that cross the socket; every other one becomes CloudFailed."""


@dataclasses.dataclass(frozen=True)
class Request:
    verb: str
    arguments: Mapping[str, Any]

    @property
    def subjects(self) -> Sequence[str]:
        """What it is about, in one order for all: requests that share one of them wait for each other."""
        given = [getattr(value, "name", value) for value in self.arguments.values()]
        return sorted({value for value in given if isinstance(value, str)})


def parse(line: bytes) -> Request:
    """Raises BadRequest for whatever is not exactly a known verb with good arguments."""
    if len(line) > LONGEST or not line.endswith(b"\n"):
        raise checks.refuse(f"requests that are cut off or longer than {LONGEST} bytes")
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise checks.refuse("what is not JSON") from error
    if not isinstance(told, dict) or set(told) != {"verb", "arguments"}:
        raise checks.refuse("other fields than verb, arguments")
    verb = told["verb"]
    if not isinstance(verb, str) or verb not in VERBS:
        raise checks.refuse("this verb")
    return Request(verb, checks.checked(told["arguments"], VERBS[verb]))


def line(told: Mapping[str, Any]) -> bytes:
    return json.dumps({key: plain(value) for key, value in told.items()}).encode() + b"\n"


def plain(value: Any) -> Any:
    """As JSON knows it; a secret is opened, because the other end needs it."""
    if isinstance(value, Secret):
        return value.value
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return value


def fault(error: Exception) -> Mapping[str, str]:
    """What is told of an error; of one that nobody foresaw only its kind, the rest stands in the helper's log."""
    if isinstance(error, errors.ArgosyError):
        kind = type(error).__name__ if type(error).__name__ in KINDS else errors.CloudFailed.__name__
        return {"kind": kind, "message": error.message}
    return {"kind": errors.CloudFailed.__name__, "message": f"{type(error).__name__} in the root helper: see its log"}


def raised(told: Mapping[str, str]) -> errors.ArgosyError:
    return KINDS.get(told["kind"], errors.CloudFailed)(told["message"])


def volume(told: Mapping[str, Any]) -> Volume:
    return Volume(**{**told, "state": State(told["state"])})


def server(told: Mapping[str, Any]) -> Server:
    return Server(**{**told, "state": State(told["state"])})


def port(told: Mapping[str, Any]) -> Port:
    outside = told["outside"] and Outside(tuple(told["outside"]["hosts"]), told["outside"]["port"])
    return Port(**{**told, "state": State(told["state"]), "outside": outside})


def usage(told: Mapping[str, Any]) -> Usage:
    return Usage(**told)
