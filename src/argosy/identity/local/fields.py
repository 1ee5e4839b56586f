"""Reading what clients send: every value is checked here, so that nothing odd reaches the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import falcon

from argosy import errors

MAX_BODY = 114_688
"""bytes, as Keystone ships it"""


class Fields:
    """A JSON object under suspicion. Every question raises BadRequest naming the field that is wrong."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise errors.BadRequest(f"{path or 'the body'} must be an object")
        self.value: Mapping[str, Any] = value
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self.value.get(name) is not None

    def object(self, name: str) -> Fields:
        return Fields(self._required(name), self._named(name))

    def text(self, name: str, default: str | None = None, *, longest: int = 255) -> str:
        """A text without control characters; required when there is no default."""
        value = self._required(name) if default is None else self.value.get(name)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            raise errors.BadRequest(f"{self._named(name)} must be a text")
        if len(value) > longest or not printable(value):
            raise errors.BadRequest(f"{self._named(name)} must be at most {longest} printable characters")
        return value

    def secret(self, name: str) -> str:
        """Any text; how long it may be, is for those to say who hash it."""
        value = self._required(name)
        if not isinstance(value, str) or not encodable(value):
            raise errors.BadRequest(f"{self._named(name)} must be a text")
        return value

    def name(self, *, longest: int = 255) -> str:
        """The field `name`, not blank."""
        value = self.text("name", longest=longest)
        if not value.strip():
            raise errors.BadRequest(f"{self._named('name')} must not be empty")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.value.get(name, default)
        if not isinstance(value, bool):
            raise errors.BadRequest(f"{self._named(name)} must be true or false")
        return value

    def texts(self, name: str) -> list[str]:
        value = self._required(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise errors.BadRequest(f"{self._named(name)} must be a list of texts")
        return value

    def objects(self, name: str) -> list[Fields]:
        value = self.value.get(name) or []
        if not isinstance(value, list):
            raise errors.BadRequest(f"{self._named(name)} must be a list")
        return [Fields(each, self._named(name)) for each in value]

    def _required(self, name: str) -> Any:
        if name not in self:
            raise errors.BadRequest(f"{self._named(name)} is missing")
        return self.value[name]

    def _named(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def printable(text: str) -> bool:
    """Whether every database can keep it and every terminal can show it."""
    return encodable(text) and all(ord(each) >= 32 for each in text)


def encodable(text: str) -> bool:
    """JSON can carry half of a surrogate pair; UTF-8 cannot."""
    return not any(0xD800 <= ord(each) <= 0xDFFF for each in text)


def body(req: falcon.Request, read: Callable[[bytes], Any] = json.loads) -> Fields:
    """The object in the body, JSON or what `read` reads. Raises BadRequest or TooLarge."""
    if (req.content_length or 0) > MAX_BODY:
        raise errors.TooLarge
    try:
        return Fields(read(req.bounded_stream.read(MAX_BODY)))
    except (ValueError, RecursionError) as error:
        raise errors.BadRequest("the body is not JSON") from error
