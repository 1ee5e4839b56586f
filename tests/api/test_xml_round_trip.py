"""Whatever the document allows an answer to be, XML carries as JSON does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import COMPONENTS, promises

from argosy.api import xml
from argosy.api.xml_reading import Reader

SCHEMAS = COMPONENTS["schemas"]
LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\u2028\u2029\x85\ufffe\uffff")
WORDS = st.text(LETTERS, min_size=1, max_size=8).map(str.strip).filter(bool)
"""What XML keeps: not what is only space, for spaces at the ends of a text are not kept, as of old."""
NUMBERS = st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 3))
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "string": WORDS,
    "integer": st.integers(-(2**40), 2**40),
    "number": NUMBERS,
    "boolean": st.booleans(),
    "null": st.none(),
}


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit the schema."""
    if "$ref" in schema:
        return st.deferred(lambda: values(SCHEMAS[schema["$ref"].rpartition("/")[2]]))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if branches:
        return st.one_of(*map(values, branches))
    kinds = schema.get("type", ["object"] if "properties" in schema or "allOf" in schema else ["string"])
    return st.one_of(*(of_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)))


def of_kind(kind: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "array":
        return st.lists(values(schema.get("items", {})), max_size=min(3, schema.get("maxItems", 3)))
    return objects(schema) if kind == "object" else SCALARS[kind]


def objects(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = {name: values(each) for name, each in schema.get("properties", {}).items()}
    needed = {name: each for name, each in known.items() if name in schema.get("required", ())}
    wanted = st.fixed_dictionaries(needed, optional={name: known[name] for name in known if name not in needed})
    parts = [objects(Reader(schemas=SCHEMAS)._flat(each)) for each in schema.get("allOf", ())]
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        names = st.sampled_from(schema["propertyNames"]["enum"]) if "propertyNames" in schema else WORDS
        least, most = schema.get("minProperties", 0), schema.get("maxProperties", 2)
        free = names.filter(lambda key: key not in known)
        parts.append(st.dictionaries(free, values(others), min_size=least, max_size=most))
    return st.tuples(wanted, *parts).map(lambda found: {key: each for part in found for key, each in part.items()})


def kept(value: Any, *, words: bool = False) -> Any:
    """What is null is left out; what may be of any type is compared as it is written."""
    if isinstance(value, dict):
        return {key: kept(each, words=words or key in MIXED) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [kept(each, words=words) for each in value]
    return xml.written(value) if words else value


MIXED = frozenset({"values", "baseline", "settings", "default"})
"""Keys whose values may be words or numbers: XML cannot tell 5 from "5"."""
ANSWERS = {json.dumps(schema): (place, schema) for place, schema in promises() if place != "GET /openapi 200"}
"""Each schema once: every call has the same faults."""


@pytest.mark.parametrize("schema", [pytest.param(schema, id=place) for place, schema in ANSWERS.values()])
def test_nothing_is_lost(schema: Mapping[str, Any]) -> None:
    @settings(max_examples=8, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(body=values(schema))
    def check(body: dict[str, Any]) -> None:
        sent = {key: each for key, each in body.items() if not key.endswith("_links") and each is not None}
        if sent:
            assert kept(Reader(schema, SCHEMAS).read(xml.write(sent))) == kept(sent)

    check()
