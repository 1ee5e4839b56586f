"""Writes the XML that Trove spoke before 2014, from the objects that JSON carries.

Scalars are child elements, but for those in ATTRIBUTES; items of a list are named as the list without its final `s`, or
`item`; what is null is left out. A key that can be no element's name is `<item key="…">`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard
from xml.etree.ElementTree import Element, SubElement, tostring

NAMESPACE = "http://docs.openstack.org/database/api/v1.0"
UNWRAPPED = "resource"
"""Root of a body that JSON carries without a key around it."""
NAME = re.compile(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_.-]*")
"""What a key must look like to be an element's name."""

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
        "account": "id num_instances",
        "quotas": "instances volumes backups",
        "security_group": "id name description instance_id created updated",
        "host": "name instanceCount percentUsed totalRAM usedRAM",
        "capacity": "total available",
        "provision": "total available percent",
        "device": "name type used",
        "guest_status": "state_description",
        "diagnostics": "version threads fdSize vmSize vmPeak vmRss vmHwm",
        "root_history": "id enabled user",
        "version": "id status updated",
    }.items()
}
FAULT_ATTRIBUTES = frozenset({"code", "retryAfter"})
FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that XML 1.0 cannot carry: left out."""


def write(body: Mapping[str, Any]) -> bytes:
    """The document of a body with one top-level key; further keys (the paging `links`) go inside the root."""
    (name, value), *others = body.items() or [(UNWRAPPED, {})]
    if isinstance(value, Mapping | list):
        root = _fault(name, value) if _is_fault(value) else _element(None, name, value)
        for other, inside in others:
            if other == "links" or not other.endswith("_links"):
                _element(root, other, inside)
    else:
        root = _element(None, UNWRAPPED, body)
    root.set("xmlns", NAMESPACE)
    text: str = tostring(root, encoding="unicode").replace("\r", "&#13;")
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{text}".encode()


def _is_fault(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and {"code", "message"} <= set(value)


def _fault(name: str, values: Mapping[str, Any]) -> Element:
    made = Element(name)
    for key, value in values.items():
        if key in FAULT_ATTRIBUTES:
            made.set(key, written(value))
        else:
            _element(made, key, value)
    return made


def _element(parent: Element | None, name: str, value: Any) -> Element:
    tag, key = (name, None) if NAME.fullmatch(name) else ("item", FORBIDDEN.sub("", name))
    made = Element(tag) if parent is None else SubElement(parent, tag)
    if key is not None:
        made.set("key", key)
    if isinstance(value, Mapping):
        _fill(made, name, value)
    elif isinstance(value, list | tuple):
        for each in value:
            _element(made, singular(tag), each)
    elif value is not None:
        made.text = written(value)
    return made


def _fill(element: Element, name: str, values: Mapping[str, Any]) -> None:
    attributes = ATTRIBUTES.get(name, frozenset())
    for key, value in values.items():
        if value is None:
            continue
        if key in attributes and not isinstance(value, Mapping | list):
            element.set(key, written(value))
        else:
            _element(element, key, value)


def singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 1 else "item"


def written(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return FORBIDDEN.sub("", text)
