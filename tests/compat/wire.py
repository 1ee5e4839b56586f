"""Clients that are no programs in Python: their requests as they send them, the answers read as strictly as they do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
from story import Row, Stage, at_rest

from argosy.testing.waiting import eventually

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
"""All that gophercloud takes for a time."""
POOL = urllib3.PoolManager(retries=False, timeout=60)
Shape = Any
"""A type, a compiled expression, or what it has to be; of an object the keys that the client reads, of a list what all
its items are."""


@dataclass(frozen=True)
class Perhaps:
    """The key may be absent; null it may not be."""

    shape: Shape


@dataclass(frozen=True)
class Call:
    """One call. `{name}` in its path and in strings of its body is what an earlier call kept."""

    command: str
    request: str
    """`POST /instances`"""
    body: Any = None
    codes: tuple[int, ...] = (200,)
    """that the client takes for success"""
    shape: Shape = None
    keeps: Mapping[str, str] = field(default_factory=dict)
    """name -> dotted path in the answer"""
    settles: str = ""
    until: bool = False
    """asked again until the answer is as it should: what a client that polls does"""
    cannot: str = ""


def call(client: str, calls: tuple[Call, ...], stage: Stage) -> list[Row]:
    """Every one, also after one that went wrong."""
    stage = Stage(stage.demo, stage.admin, stage.api, dict(stage.known))
    return [Row(client, each.command, each.request, each.cannot, _wrong(each, stage)) for each in calls]


def _wrong(asked: Call, stage: Stage) -> str:
    try:
        if asked.until:
            eventually(lambda: _once(asked, stage), within=60)
        else:
            _once(asked, stage)
        if asked.settles:
            eventually(at_rest(stage.api, asked.settles), within=60)
    except (AssertionError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _once(asked: Call, stage: Stage) -> bool:
    status, answer = _send(asked, stage)
    assert status in asked.codes, f"{status} instead of {asked.codes}: {answer}"
    if asked.shape is not None:
        wrong = _misfit(asked.shape, answer, "")
        assert not wrong, f"{wrong} in {answer}"
    stage.known |= {name: str(_at(answer, path)) for name, path in asked.keeps.items()}
    return True


def _send(asked: Call, stage: Stage) -> tuple[int, Any]:
    method, _, path = asked.request.partition(" ")
    headers = {"Accept": "application/json", "X-Auth-Token": stage.known["token"]}
    body = None
    if asked.body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(_filled(asked.body, stage.known)).encode()
    url = stage.known["endpoint"] + path.format_map(stage.known)
    told = POOL.request(method, url, body=body, headers=headers)
    return told.status, json.loads(told.data) if told.data else None


def _filled(body: Any, known: Mapping[str, str]) -> Any:
    if isinstance(body, dict):
        return {key: _filled(value, known) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(each, known) for each in body]
    return body.format_map(known) if isinstance(body, str) else body


def _misfit(shape: Shape, value: Any, where: str) -> str:
    """What is wrong, with the place; empty when nothing is."""
    if isinstance(shape, dict):
        return _misfit_object(shape, value, where)
    if isinstance(shape, list) and shape:
        return _misfit_list(shape[0], value, where)
    if isinstance(shape, re.Pattern):
        return "" if isinstance(value, str) and shape.fullmatch(value) else f"{where} is {value!r}"
    if isinstance(shape, type | tuple):
        fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        return "" if fits else f"{where} is {value!r}, no {shape}"
    return "" if value == shape else f"{where} is {value!r}, not {shape!r}"


def _misfit_object(shape: Mapping[str, Shape], value: Any, where: str) -> str:
    if not isinstance(value, dict):
        return f"{where} is no object"
    for key, each in shape.items():
        if isinstance(each, Perhaps):
            found = _misfit(each.shape, value[key], f"{where}.{key}") if key in value else ""
        else:
            found = _misfit(each, value[key], f"{where}.{key}") if key in value else f"{where}.{key} is missing"
        if found:
            return found
    return ""


def _misfit_list(shape: Shape, value: Any, where: str) -> str:
    if not isinstance(value, list):
        return f"{where} is no list"
    return next(filter(None, (_misfit(shape, each, f"{where}[{n}]") for n, each in enumerate(value))), "")


def _at(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = answer[int(name)] if name.isdigit() else answer[name]
    return answer
