"""The XML that Trove spoke before 2014, from and to the objects that JSON carries.

Writing: scalars are child elements, but for those in ATTRIBUTES; items of a list are named as the list without its
final `s`, or `item`. Reading: attributes and child elements both become keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from argosy import errors

NAMESPACE = "http://docs.openstack.org/database/api/v1.0"
DEPTH = 32
"""Elements within each other that a request may have."""
LISTS = frozenset({"databases", "users", "nics", "allowed_cidrs"})
"""Elements of requests that are lists whatever they hold."""

_INSTANCE = (
    "status hostname id name created updated host server_id local_id task_description deleted deleted_at tenant_id"
)
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    name: frozenset(attributes.split())
    for name, attributes in {
        "instance": _INSTANCE,
        "volume": "size used id",
        "flavor": "id ram name",
        "link": "href rel",
        "database": "name",
        "user": "name password host",
        "configuration": "id name description datastore_version_id",
        "version": "id status updated",
    }.items()
}
FAULT_ATTRIBUTES = frozenset({"code", "retryAfter"})
FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that XML 1.0 cannot carry: left out."""


def write(body: Mapping[str, Any]) -> bytes:
    """The document of a body with one top-level key; further keys (the paging `links`) go inside the root."""
    (name, value), *others = body.items()
    root = _element(None, name, value)
    root.set("xmlns", NAMESPACE)
    for other, inside in others:
        if other == "links" or not other.endswith("links"):
            _element(root, other, inside)
    text: str = tostring(root, encoding="unicode")
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{text}".encode()


def read(data: bytes) -> dict[str, Any]:
    """Raises BadRequest for what is not well formed, too deep, or plays with entities."""
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise errors.BadRequest(f"Malformed request body: {error}") from error
    return {_plain(root.tag): _value(root, DEPTH)}


def _element(parent: Element | None, name: str, value: Any) -> Element:
    made = Element(name) if parent is None else SubElement(parent, name)
    if isinstance(value, Mapping):
        _fill(made, name, value)
    elif isinstance(value, list | tuple):
        for each in value:
            _element(made, _singular(name), each)
    elif value is not None:
        made.text = _text(value)
    return made


def _fill(element: Element, name: str, values: Mapping[str, Any]) -> None:
    attributes = FAULT_ATTRIBUTES if "code" in values else ATTRIBUTES.get(name, frozenset())
    for key, value in values.items():
        if key in attributes and not isinstance(value, Mapping | list):
            if value is not None:
                element.set(key, _text(value))
        else:
            _element(element, key, value)


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 1 else "item"


def _text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return FORBIDDEN.sub("", text)


def _value(element: Element, depth: int) -> Any:
    if depth == 0:
        raise errors.BadRequest(f"Malformed request body: more than {DEPTH} elements within each other")
    if _plain(element.tag) in LISTS:
        return [_value(child, depth - 1) for child in element]
    values: dict[str, Any] = {_plain(name): text for name, text in element.attrib.items()}
    values.update((_plain(child.tag), _value(child, depth - 1)) for child in element)
    text = (element.text or "").strip()
    return text if text and not values else values


def _plain(name: str) -> str:
    """Without the namespace."""
    return name.rpartition("}")[2]
