"""What may be set in an engine: parameters.toml of its folder, read and judged. Nothing here knows of a server."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from argosy import errors
from argosy.engines import registry, roots, versions
from argosy.model.guest import Site

MOST_OF_MEMORY = 0.75
"""the share of a guest's memory that a single setting may ask for: the rest is for everything else in the server"""
MIB = 1024 * 1024
LONGEST_TEXT = 1000
"""bytes of a value: MariaDB takes what is beyond 4096 of a line for a line of its own"""


class Kind(StrEnum):
    """Of values, as JSON has them."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"


WANTED: Mapping[Kind, str] = {
    Kind.INTEGER: "an integer",
    Kind.FLOAT: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.STRING: "a string",
}


@dataclass(frozen=True)
class Parameter:
    name: str
    """in the spelling of the engine's own files"""
    kind: Kind
    restart: bool = False
    """a running server does not take it"""
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    """what a bare number means to the engine: `kB`, `8kB`, `ms`, …"""
    choices: tuple[str, ...] = ()
    """the only values, where not empty"""
    members: tuple[str, ...] = ()
    """a value is a list of these with commas between, where not empty"""
    default: int | float | bool | str | None = None
    """the engine's own; Argosy may set another by the size of the guest"""
    memory: int = 0
    """bytes of the guest's memory that one unit stands for; 0 where it stands for none"""
    since: str = ""
    """first version that has it"""
    until: str = ""
    """first version that does not have it any more"""
    lacking: str = ""
    """of the engine's datastores the one whose own servers do not have it, or have another default"""

    def exists_in(self, number: str) -> bool:
        """Whether the exact version has it."""
        if self.lacking and versions.is_of(self.lacking, number):
            return False
        exact, since, until = (roots.order(each) for each in (number, self.since, self.until))
        return exact >= since and (not until or exact < until)

    def check(self, value: Any) -> Any:
        """The value in the engine's own spelling. Raises Unprocessable."""
        if not _is(self.kind, value):
            raise self._wrong(f"must be {WANTED[self.kind]}, not {value!r}")
        if isinstance(value, str):
            return self._check_text(value)
        self._check_range(value)
        return value

    def check_memory(self, value: Any, ram: int) -> None:
        """Raises Unprocessable for a value that a guest of so many MiB cannot grant."""
        asked, most = self.bytes_of(value), int(ram * MIB * MOST_OF_MEMORY)
        if asked > most:
            raise self._wrong(
                f"= {value} asks for {asked // MIB} MiB of memory and an instance of {ram} MiB can grant"
                f" {most // MIB}: choose less, or a larger flavor"
            )

    def bytes_of(self, value: Any) -> int:
        """Memory that the value asks for; 0 for one that is not about memory."""
        return int(value) * self.memory if self.memory and isinstance(value, int) and value > 0 else 0

    def _check_range(self, value: float) -> None:
        if self.minimum is not None and value < self.minimum:
            raise self._wrong(f"must be at least {_number(self.minimum)}, not {value}")
        if self.maximum is not None and value > self.maximum:
            raise self._wrong(f"must be at most {_number(self.maximum)}, not {value}")

    def _check_text(self, value: str) -> str:
        if not value.isprintable():
            raise self._wrong("must not hold control characters")
        if len(value.encode()) > LONGEST_TEXT:
            raise self._wrong(f"must not be longer than {LONGEST_TEXT} bytes")
        if self.choices:
            return self._one_of(self.choices, value)
        if self.members and value:
            return ",".join(self._one_of(self.members, each.strip()) for each in value.split(","))
        return value

    def _one_of(self, allowed: tuple[str, ...], value: str) -> str:
        """Whatever its case."""
        for each in allowed:
            if each.lower() == value.lower():
                return each
        raise self._wrong(f"must be one of {', '.join(allowed)}, not {value!r}")

    def _wrong(self, message: str) -> errors.Unprocessable:
        return errors.Unprocessable(f"the value of parameter {self.name} {message}")


@functools.cache
def declared(engine: str) -> Mapping[str, Parameter]:
    """Every parameter of the engine by its name in small letters; none for an engine that declares none."""
    package, _, _ = registry.get(engine).driver.partition(":")[0].rpartition(".")
    file = resources.files(package) / "parameters.toml"
    tables = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {name.lower(): read(name, table) for name, table in tables.items()}


@functools.cache
def offered(engine: str, number: str) -> Mapping[str, Parameter]:
    """Those that the exact version has."""
    return {name: each for name, each in declared(engine).items() if each.exists_in(number)}


def defaults(engine: str, number: str, site: Site) -> dict[str, str]:
    """What a server of the site has where nobody set anything, as text: the engine's own, or what Argosy says."""
    own = registry.get(engine).own_settings(site)
    menu = offered(engine, number)
    plain = {each.name: str(each.default) for each in menu.values() if each.default is not None}
    return dict(sorted({**plain, **{name: own[name] for name in own if name in menu}}.items()))


def read(name: str, table: Mapping[str, Any]) -> Parameter:
    """Raises TypeError or ValueError for what is not a parameter."""
    values: dict[str, Any] = {key: tuple(it) if isinstance(it, list) else it for key, it in table.items()}
    return Parameter(name=name, kind=Kind(values.pop("type")), **values)


def _is(kind: Kind, value: Any) -> bool:
    if kind is Kind.BOOLEAN or isinstance(value, bool):
        return kind is Kind.BOOLEAN and isinstance(value, bool)
    if kind is Kind.STRING:
        return isinstance(value, str)
    return isinstance(value, int | float) if kind is Kind.FLOAT else isinstance(value, int)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
