"""The OpenAPI document: `document.json` with what all share, and one file per resource with its paths and schemas."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

from argosy.api.xml_reading import Reader


def reader(method: str, path: str) -> Reader:
    """Reads XML bodies of this operation by what the document says of them."""
    whole = document()
    sent = whole["paths"][path][method.lower()].get("requestBody", {}).get("content", {}).get("application/json", {})
    return Reader(sent.get("schema", {}), whole["components"]["schemas"])


@functools.cache
def document() -> dict[str, Any]:
    """The whole of it. Not to be changed by whoever reads it."""
    files = [each for each in resources.files(__name__).iterdir() if each.name.endswith(".json")]
    parts = {each.name: json.loads(each.read_text()) for each in sorted(files, key=lambda each: each.name)}
    whole: dict[str, Any] = parts.pop("document.json")
    whole["paths"] = {path: item for part in parts.values() for path, item in part["paths"].items()}
    for part in parts.values():
        whole["components"]["schemas"].update(part.get("schemas", {}))
    return whole
