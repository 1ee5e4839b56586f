"""Reads a request's body: every value is checked for its type before anything else sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from argosy import errors

DIGITS = 40
"""Longest number that is accepted as a string of digits, as in Trove."""


class Fields:
    """One JSON object. Null counts as absent. Every reader raises BadRequest naming the path of what is wrong."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self.values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def get(self, name: str) -> Any:
        """The value as it came."""
        return self.values.get(name)

    def text(self, name: str, *, most: int = 255) -> str | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise self.wrong(name, f"must be a string of 1 to {most} characters")
        if not value.isprintable():
            raise self.wrong(name, "must not hold control characters")
        return value

    def needed_text(self, name: str, *, most: int = 255) -> str:
        value = self.text(name, most=most)
        if value is None:
            raise self.wrong(name, "is a required property")
        return value

    def integer(self, name: str, *, least: int, most: int | None = None) -> int | None:
        """A whole number or its digits; true and false are none."""
        value = self.values.get(name)
        if value is None:
            return None
        number = int(value) if _digits(value) else value
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise self.wrong(name, f"must be an integer of at least {least}")
        if most is not None and number > most:
            raise self.wrong(name, f"must be an integer of at most {most}")
        return number

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "must be a boolean")
        return value

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            raise self.wrong(name, f"{value!r} is not one of {sorted(choices)}")
        return value

    def object(self, name: str, *, required: bool = False) -> Fields:
        """The object of this name; an empty one when it is absent and not required."""
        value = self.values.get(name)
        if value is None and not required:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(name, "is a required property" if value is None else "must be an object")
        return Fields(value, self._below(name))

    def objects(self, name: str) -> list[Fields]:
        value = self.list(name)
        for position, each in enumerate(value):
            if not isinstance(each, dict):
                raise self.wrong(f"{name}[{position}]", "must be an object")
        return [Fields(each, self._below(f"{name}[{position}]")) for position, each in enumerate(value)]

    def list(self, name: str) -> Sequence[Any]:
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise self.wrong(name, "must be a list")
        return value or []

    def only(self, names: Iterable[str]) -> None:
        """Nothing but these keys."""
        unknown = set(self.values) - set(names)
        if unknown:
            raise self.wrong(min(unknown), "is not a known property")

    def wrong(self, name: str, message: str) -> errors.BadRequest:
        return errors.BadRequest(f"Validation error: {self._below(name)} {message}")

    def _below(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _digits(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= DIGITS
