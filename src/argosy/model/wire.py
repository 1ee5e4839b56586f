"""What agent and conductor say to each other: plain dataclasses as JSON, one frame a message, versioned.

The agent dials `wss://…/v1/guest` with its credential (`Authorization: Bearer <guest>.<secret>`), says Hello with the
protocol versions it speaks, and hears Welcome with the one chosen. Afterwards frames go both ways. A frame of an
unknown kind is ignored, an unknown field too: agents in images are old. By long-poll the same frames travel in lists:
`POST /v1/guest/frames` takes the agent's and answers with the conductor's.

What a guest says of itself is a claim: only its own row is changed by it, and only in the columns named here.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

from argosy import errors

PROTOCOLS = (1,)
MAX_FRAME = 262_144
"""Bytes of one frame; more goes over HTTPS on the same port."""
LOG_READ_BYTES = 32_768
"""Bytes of a log in one answer: escaped as JSON they take up to six times as much."""
LOG_OBJECT_BYTES = 1_000_000
"""Bytes of one published object of a log, as Trove cuts them."""


class BadFrame(errors.BadRequest):
    """a frame that this protocol does not know"""


@dataclass(frozen=True)
class Enrol:
    """Body of `POST /v1/enrol`: the one-time token against a credential. Good until the credential was first used."""

    guest: str
    generation: int
    token: str


@dataclass(frozen=True)
class Enrolled:
    credential: str


@dataclass(frozen=True)
class Hello:
    protocols: list[int]
    agent: str
    """release and digest of the agent's code (model.release)"""
    boot: str
    """random per start of the agent: heartbeat numbers count within it"""


@dataclass(frozen=True)
class Welcome:
    protocol: int
    heartbeat_seconds: float


@dataclass(frozen=True)
class Heartbeat:
    """Numbered within one boot of the agent: an older number changes nothing."""

    boot: str
    seq: int
    health: str
    message: str = ""
    version: str = ""
    """exact version the server tells of itself"""
    volume_used: int = 0
    volume_total: int = 0
    """bytes"""
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """Something to do, by an id that never changes: the agent's journal does nothing twice."""

    id: str
    verb: str
    arguments: dict[str, Any] = field(default_factory=dict)
    term: int = 0
    """of the replication group; an agent refuses a role-changing command of an older term"""


@dataclass(frozen=True)
class Cancel:
    id: str


@dataclass(frozen=True)
class Progress:
    id: str
    done: int
    total: int = 0
    unit: str = "bytes"
    message: str = ""


@dataclass(frozen=True)
class Answer:
    id: str
    result: dict[str, Any] | None = None
    error: str = ""
    """what went wrong, in the engine's own words where it has some; empty: success"""
    error_kind: str = ""
    """`rejected`: the caller must change something; `unavailable`: try again; else broken"""


@dataclass(frozen=True)
class Received:
    """The conductor has this answer safely in its database: the agent need not repeat it."""

    id: str


Frame = Hello | Welcome | Heartbeat | Command | Cancel | Progress | Answer | Received
KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Hello, Welcome, Heartbeat, Command, Cancel, Progress, Answer, Received)
}
T = TypeVar("T")


def encode(frame: Frame) -> str:
    return json.dumps({"kind": type(frame).__name__.lower(), **dataclasses.asdict(frame)}, separators=(",", ":"))


def decode(text: str | bytes) -> Frame | None:
    """The frame, or None for a kind of a later protocol. Raises BadFrame."""
    body = document(text)
    try:
        kind = KINDS.get(body.pop("kind"))
    except (KeyError, AttributeError, TypeError) as error:
        raise BadFrame(f"not a frame: {error}") from error
    return None if kind is None else parse(kind, body)


def document(text: str | bytes) -> Any:
    """Foreign JSON, without the numbers that only Python knows. Raises BadFrame."""
    try:
        return json.loads(text, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from error


def _not_a_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def parse(kind: type[T], body: Any) -> T:
    """A dataclass from foreign JSON: unknown fields dropped, missing or wrongly typed ones BadFrame."""
    if not isinstance(body, dict):
        raise BadFrame(f"{kind.__name__.lower()} must be an object")
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {name: body[name] for name in fields if name in body}
    for name, value in values.items():
        if not _fits(str(fields[name].type), value):
            raise BadFrame(f"{kind.__name__.lower()}.{name} is not of type {fields[name].type}")
    try:
        return kind(**values)
    except TypeError as error:
        raise BadFrame(f"{kind.__name__.lower()}: {error}") from error


def _fits(declared: str, value: Any) -> bool:
    if declared == "str":
        return isinstance(value, str)
    if declared == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if declared == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if declared == "dict[str, float]":
        return isinstance(value, dict) and all(_fits("float", each) for each in value.values())
    if declared == "list[int]":
        return isinstance(value, list) and all(_fits("int", each) for each in value)
    return value is None or isinstance(value, dict)
