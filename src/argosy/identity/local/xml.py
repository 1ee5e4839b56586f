"""The XML that Keystone's version 2.0 spoke: scalars are attributes, and items of a list are named as one of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

import falcon
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from argosy import errors

NAMESPACE = "http://docs.openstack.org/identity/api/v2.0"
MEDIA = ("application/json", "application/xml", "text/xml")
SINGULAR = {"serviceCatalog": "service", "endpoints": "endpoint", "roles": "role", "tenants": "tenant"}
BARE = frozenset({"endpoints"})
"""Lists whose items stand in the parent without an element around them."""
TEXT = frozenset({"description", "message"})
"""Scalars that are elements all the same."""
FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def sent(req: falcon.Request) -> bool:
    """The body says that it is XML."""
    return "xml" in (req.content_type or "").partition(";")[0]


def wanted(req: falcon.Request) -> bool:
    """Accept likes XML better than JSON."""
    return "xml" in req.accept and "xml" in (req.client_prefers(MEDIA) or "")


def read(data: bytes) -> dict[str, Any]:
    """One key, as in JSON: attributes and elements inside are both keys. Raises BadRequest."""
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise errors.BadRequest("the body is not XML") from error
    return {_plain(root.tag): _object(root, depth=4)}


def write(body: Mapping[str, Any]) -> bytes:
    """The document of a body; what stands beside its first key is left out."""
    name, value = next(iter(body.items()))
    root = Element(name, xmlns=NAMESPACE)
    _fill(root, name, value)
    text: str = tostring(root, encoding="unicode")
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{text}".encode()


def _object(element: Element, depth: int) -> dict[str, Any]:
    if not depth:
        raise errors.BadRequest("the body is too deep")
    inside = {_plain(each.tag): _object(each, depth - 1) for each in element}
    return {_plain(name): text for name, text in element.attrib.items()} | inside


def _plain(name: str) -> str:
    return name.rpartition("}")[2]


def _fill(element: Element, name: str, value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _fill(SubElement(element, SINGULAR.get(name, "item")), "", each)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            _put(element, key, each)
    else:
        element.text = _text(value)


def _put(element: Element, key: str, value: Any) -> None:
    """An attribute, an element, or the items of a list; what is null or an empty list of links is left out."""
    if value is None or key.endswith("_links"):
        return
    if key in TEXT or isinstance(value, list | Mapping):
        _fill(element if key in BARE else SubElement(element, key), key, value)
    else:
        element.set(key, _text(value))


def _text(value: Any) -> str:
    return FORBIDDEN.sub("", str(value).lower() if isinstance(value, bool) else str(value))
