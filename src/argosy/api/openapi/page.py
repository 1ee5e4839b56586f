"""The OpenAPI document as a page to read: one file without scripts, fonts or anything else from another host."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from argosy.api.openapi import document

METHODS = ("get", "head", "post", "put", "patch", "delete")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { overflow-x: auto; padding: .6rem; background: #8881; }
details { border-top: 1px solid #8884; padding: .3rem 0; } summary { cursor: pointer; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 600; } .later { opacity: .5; }
:root { color-scheme: light dark; } td, th { text-align: left; padding: .1rem .8rem .1rem 0; vertical-align: top; }
"""


@functools.cache
def page() -> str:
    whole = document()
    title, said = escape(whole["info"]["title"]), escape(whole["info"]["description"])
    calls = "".join(_calls(whole))
    schemas = "".join(_schema(name, each) for name, each in sorted(whole["components"]["schemas"].items()))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} API</title>'
        f"<style>{STYLE}</style></head><body><h1>{title} API</h1><p>{said}</p>"
        f'<p>For programs: <a href="/openapi.json">openapi.json</a></p>{calls}<h2>Schemas</h2>{schemas}</body></html>'
    )


def _calls(whole: Mapping[str, Any]) -> Iterator[str]:
    for path, item in whole["paths"].items():
        for method in METHODS:
            if method in item:
                yield _call(whole, method.upper(), path, item[method], item.get("parameters", ()))


def _call(whole: Mapping[str, Any], method: str, path: str, told: Mapping[str, Any], shared: Any) -> str:
    later = ' class="later"' if "later" in told.get("tags", ()) else ""
    parameters = [_resolved(whole, each) for each in (*shared, *told.get("parameters", ()))]
    answers = {status: _resolved(whole, each) for status, each in told["responses"].items()}
    rule = f"<p>policy rule <code>{escape(told['x-policy'])}</code></p>" if told.get("x-policy") else ""
    body = _content(told["requestBody"]) if "requestBody" in told else ""
    rows = "".join(_row(each["name"], f"{each['in']}: {each.get('description', '')}") for each in parameters)
    rows += "".join(_row(status, each["description"]) for status, each in answers.items())
    good = "".join(_content(each) for status, each in answers.items() if status < "300")
    return (
        f'<details{later}><summary><span class="method">{method}</span> <code>{escape(path)}</code> '
        f"{escape(told['summary'])}</summary>{rule}<table>{rows}</table>{body}{good}</details>"
    )


def _row(name: str, said: str) -> str:
    return f"<tr><th><code>{escape(name)}</code></th><td>{escape(said)}</td></tr>"


def _content(told: Mapping[str, Any]) -> str:
    schemas = [each["schema"] for each in told.get("content", {}).values() if "schema" in each]
    return "".join(f"<pre>{_linked(each)}</pre>" for each in schemas)


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    shown = f"<summary><code>{escape(name)}</code></summary><pre>{_linked(schema)}</pre>"
    return f'<details id="{escape(name)}">{shown}</details>'


def _linked(schema: Mapping[str, Any]) -> str:
    """The schema as it is written, with each reference as a link to what it refers to."""
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False), quote=False)
    begun = '"#/components/schemas/'
    first, *others = text.split(begun)
    return first + "".join(
        f'<a href="#{name}">{name}</a>{rest}' for name, _, rest in (each.partition('"') for each in others)
    )


def _resolved(whole: Mapping[str, Any], told: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in told:
        return told
    *_, kind, name = told["$ref"].split("/")
    found: Mapping[str, Any] = whole["components"][kind][name]
    return found
