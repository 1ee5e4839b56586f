"""Compares every answer of every test with the OpenAPI document, and remembers which of its promises were seen kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import falcon.testing
import jsonschema_rs

from argosy import errors
from argosy.api import formats, openapi

DOCUMENT = openapi.document()
COMPONENTS = DOCUMENT["components"]
METHODS = ("get", "head", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str

    @property
    def told(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = DOCUMENT["paths"][self.path][self.method.lower()]
        return found

    @property
    def built(self) -> bool:
        return "later" not in self.told.get("tags", ())

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix('/v1.0/{project}')}"

    def answers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Statuses, and what the document says of each."""
        for status, told in self.told["responses"].items():
            yield status, COMPONENTS["responses"][told["$ref"].rpartition("/")[2]] if "$ref" in told else told


OPERATIONS = tuple(
    Operation(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item
)


@dataclass
class Judge:
    statuses: set[tuple[str, str]] = field(default_factory=set)
    """operation and status"""
    keys: set[str] = field(default_factory=set)
    """of answers: the schema's name or the operation and status, then the path within"""

    def see(self, method: str, path: str, answer: falcon.testing.Result) -> None:
        """Fails for what the document does not promise. Says nothing of a path that is none."""
        operation = find(method, path)
        if operation is None or not operation.built:
            return
        status = str(answer.status_code)
        promised = dict(operation.answers())
        assert status in promised, f"{operation} answered {status}, which its document does not know: {answer.text}"
        self.statuses.add((str(operation), status))
        self._see_body(f"{operation} {status}", promised[status].get("content", {}), answer)

    def _see_body(self, place: str, content: Mapping[str, Any], answer: falcon.testing.Result) -> None:
        media_type = (answer.headers.get("content-type") or "").partition(";")[0]
        if not answer.content:
            assert "application/json" not in content, f"{place}: the body is empty, and the document says otherwise"
        elif media_type == formats.Format.JSON and "application/json" in content:
            schema = content["application/json"]["schema"]
            wrong = [f"{error.instance_path}: {error.message}" for error in validator(place).iter_errors(answer.json)]
            assert not wrong, f"{place}: {'; '.join(wrong)}"
            self.keys |= set(told(schema, answer.json, place))
        else:
            known = {*content, *([formats.Format.XML] if "application/json" in content else [])}
            assert media_type in {each.partition(";")[0] for each in known}, f"{place}: {media_type} is not promised"


JUDGE = Judge()


class Client(falcon.testing.TestClient):
    """A client whose every answer is judged."""

    def simulate_request(self, *arguments: Any, **options: Any) -> falcon.testing.Result:
        answer = super().simulate_request(*arguments, **options)
        method, path = (*arguments, options.get("path", "/"))[:2]
        accept = (options.get("headers") or {}).get("Accept", "")
        try:
            path = formats.wanted(path.partition("?")[0], accept).path
        except errors.NotAcceptable:
            return answer
        JUDGE.see(method, path, answer)
        return answer


def find(method: str, path: str) -> Operation | None:
    """Of several templates that fit, the one with the fewest variables."""
    fitting = [each for each in OPERATIONS if each.method == method and _pattern(each.path).fullmatch(path)]
    return min(fitting, key=lambda each: each.path.count("{"), default=None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", template.rstrip("/") or "/")
    return re.compile("[^/]+".join(re.escape(part) for part in parts), re.DOTALL)


@cache
def validator(place: str) -> jsonschema_rs.Validator:
    schema = dict(promises())[place]
    return jsonschema_rs.validator_for({**schema, "components": COMPONENTS})


@cache
def promises() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The schema of every JSON answer, under its operation and status."""
    return tuple(
        (f"{operation} {status}", answer["content"]["application/json"]["schema"])
        for operation in OPERATIONS
        if operation.built
        for status, answer in operation.answers()
        if "application/json" in answer.get("content", {})
    )


def told(schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    """The keys that a value has of those that its schema names."""
    schema, place = _resolved(schema, place)
    for each in schema.get("allOf", ()):
        yield from told(each, value, place)
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if jsonschema_rs.is_valid({**each, "components": COMPONENTS}, value):
            yield from told(each, value, place)
    if isinstance(value, dict):
        for key, inside in value.items():
            if key in schema.get("properties", {}):
                yield f"{place}.{key}"
                yield from told(schema["properties"][key], inside, f"{place}.{key}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from told(schema["additionalProperties"], inside, f"{place}.*")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for inside in value:
            yield from told(schema["items"], inside, f"{place}[]")


def named(schema: Mapping[str, Any], place: str, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Every object schema and every key that a schema names, each under its place; keys come with None."""
    schema, place = _resolved(schema, place)
    if place in seen:
        return
    seen |= {place} if "." not in place and " " not in place else set()
    if "properties" in schema or schema.get("type") == "object":
        yield place, schema
    for each in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from named(each, place, seen)
    for key, inside in schema.get("properties", {}).items():
        yield f"{place}.{key}", None
        yield from named(inside, f"{place}.{key}", seen)
    for key, mark in (("additionalProperties", ".*"), ("items", "[]")):
        if isinstance(schema.get(key), dict):
            yield from named(schema[key], f"{place}{mark}", seen)


def _resolved(schema: Mapping[str, Any], place: str) -> tuple[Mapping[str, Any], str]:
    while "$ref" in schema:
        place = schema["$ref"].rpartition("/")[2]
        schema = COMPONENTS["schemas"][place]
    return schema, place
