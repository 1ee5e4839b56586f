"""Reads XML into the objects that JSON carries. Attributes and child elements both become keys.

XML knows no types: a schema of the OpenAPI document says what is a number, a list, an object. What does not fit is left
as text, and whoever reads the field says what is wrong with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from argosy import errors
from argosy.api.xml import UNWRAPPED, singular, written

DEPTH = 32
"""Elements within each other that a request may have."""
LISTS = frozenset({"databases", "users", "nics", "allowed_cidrs", "modules"})
"""Elements that are lists where no schema says so."""
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,39})", re.ASCII)
REAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?", re.ASCII | re.IGNORECASE)
ANYTHING = {"boolean", "integer", "number"}
Schema = Mapping[str, Any]
ANY: Schema = {}


@dataclass(frozen=True)
class Reader:
    """Reads bodies of one schema."""

    schema: Schema = field(default_factory=dict)
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    """what `$ref` refers to, by name"""

    def read(self, data: bytes) -> dict[str, Any]:
        """Raises BadRequest for what is not well formed, too deep, or plays with entities."""
        try:
            root = fromstring(data)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise errors.BadRequest(f"Malformed request body: {error}") from error
        _check_depth(root)
        return self._body(root)

    def _body(self, root: Element) -> dict[str, Any]:
        """One key, and inside its element whatever stands beside it in JSON."""
        name, schema = _plain(root.tag), self._resolved(self.schema, root)
        if name == UNWRAPPED:
            return self._object(root, schema)
        known = schema.get("properties", {})
        inside = self._resolved(known.get(name, schema if known else _beyond(schema)), root)
        beside = [each for each in root if _key(each) in known and _key(each) not in (name, *self._mine(name, inside))]
        for each in beside:
            root.remove(each)
        others = {_key(each): self._value(each, known[_key(each)]) for each in beside}
        return {name: self._value(root, inside), **others}

    def _mine(self, name: str, schema: Schema) -> Iterable[str]:
        """Names that the children of this element have by themselves."""
        return (singular(name),) if "array" in _kinds(schema) else schema.get("properties", {})

    def _value(self, element: Element, schema: Schema) -> Any:
        schema = self._resolved(schema, element)
        kinds, text = _kinds(schema), (element.text or "").strip()
        plain = not len(element) and not (set(element.attrib) - {"key"})
        if "array" in kinds or (not kinds and _key(element) in LISTS):
            return text if plain and text else [self._value(each, schema.get("items", ANY)) for each in element]
        if plain and (text or not (kinds & {"object"} or not kinds)):
            return _scalar(text, kinds)
        return self._object(element, schema)

    def _object(self, element: Element, schema: Schema) -> dict[str, Any]:
        known, beyond = schema.get("properties", {}), _beyond(schema)
        values = {_plain(name): text for name, text in element.attrib.items() if name != "key" or "key" in known}
        read = {name: _scalar(text, _kinds(self._flat(known.get(name, beyond)))) for name, text in values.items()}
        return read | {_key(each): self._value(each, known.get(_key(each), beyond)) for each in element}

    def _resolved(self, schema: Schema, element: Element) -> Schema:
        """Of several schemas the first that knows every key of the element."""
        schema = self._flat(schema)
        branches = [self._flat(each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
        keys = {_key(each) for each in element} | set(element.attrib)
        fitting = [each for each in branches if keys <= set(each.get("properties", ()))]
        return (fitting or branches or [schema])[0]

    def _flat(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        merged = dict(schema)
        for each in schema.get("allOf", ()):
            part = self._flat(each)
            merged["properties"] = {**part.get("properties", {}), **merged.get("properties", {})}
            merged.setdefault("type", "object")
        return merged


def _beyond(schema: Schema) -> Schema:
    """Of keys that it does not name."""
    others = schema.get("additionalProperties")
    return others if isinstance(others, dict) else ANY


def _check_depth(root: Element) -> None:
    level = [root]
    for _ in range(DEPTH):
        level = [child for each in level for child in each]
    if level:
        raise errors.BadRequest(f"Malformed request body: more than {DEPTH} elements within each other")


def _kinds(schema: Schema) -> set[str]:
    kinds = schema.get("type", ["string"] if {"const", "enum"} & set(schema) else [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _scalar(text: str, kinds: set[str]) -> Any:
    """What it is by its types; of any type, what we would write in these very letters: `00` and `1E5` stay words."""
    value = _number_or_boolean(text, kinds or ANYTHING)
    return value if kinds or written(value) == text else text


def _number_or_boolean(text: str, kinds: set[str]) -> Any:
    if "boolean" in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kinds & {"integer", "number"} and WHOLE.fullmatch(text):
        return int(text)
    if "number" in kinds and REAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _key(element: Element) -> str:
    return element.attrib.get("key", "item") if element.tag.endswith("item") else _plain(element.tag)


def _plain(name: str) -> str:
    """Without the namespace."""
    return name.rpartition("}")[2]
