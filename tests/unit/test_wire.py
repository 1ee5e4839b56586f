"""What agent and conductor say: everything comes back as it was said, and nothing else gets in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.model import wire

FRAMES: list[wire.Frame] = [
    wire.Hello([1, 2], "0.1", "b"),
    wire.Welcome(1, 10.0),
    wire.Heartbeat("b", 3, "healthy", "m", "15.18", 1, 2, {"connections": 3.0}),
    wire.Command("run/step/verb/guest", "prepare", {"master": "x", "databases": []}, 4),
    wire.Cancel("c"),
    wire.Progress("c", 1, 2, "rows", "half way"),
    wire.Answer("c", {"version": "1"}, "", "unavailable"),
    wire.Received("c"),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_comes_back_as_it_was_said(frame: wire.Frame) -> None:
    assert wire.decode(wire.encode(frame)) == frame


def test_every_kind_of_frame_is_in_the_round_trip() -> None:
    assert {type(frame) for frame in FRAMES} == set(wire.KINDS.values())


@pytest.mark.parametrize("kind", wire.KINDS.values(), ids=lambda kind: kind.__name__)
def test_no_field_hides_the_kind_of_its_frame(kind: type[Any]) -> None:
    assert "kind" not in kind.__dataclass_fields__


def test_a_frame_of_a_later_protocol_is_ignored() -> None:
    assert wire.decode('{"kind": "teleport", "to": "mars"}') is None


def test_a_field_of_a_later_protocol_is_ignored() -> None:
    assert wire.decode('{"kind": "cancel", "id": "c", "gently": true}') == wire.Cancel("c")


NONSENSE = [
    "",
    "x",
    "[]",
    "1",
    "null",
    "{}",
    "[" * 100_000,
    '{"kind": {}}',
    '{"kind": "cancel"}',
    '{"kind": "cancel", "id": 1}',
    '{"kind": "progress", "id": "c", "done": 1.5}',
    '{"kind": "progress", "id": "c", "done": true}',
    '{"kind": "heartbeat", "boot": "b", "seq": 1, "health": "h", "metrics": {"a": NaN}}',
    '{"kind": "hello", "protocols": ["1"], "agent": "a", "boot": "b"}',
    '{"kind": "answer", "id": "c", "result": 1}',
]


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(wire.BadFrame):
        wire.decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(kind=st.sampled_from(sorted(wire.KINDS)), body=st.dictionaries(st.sampled_from(["id", "seq", "boot"]), JSON))
def test_any_json_is_a_frame_or_refused(kind: str, body: dict[str, Any]) -> None:
    try:
        frame = wire.decode(json.dumps({**body, "kind": kind}))
    except wire.BadFrame:
        return
    assert type(frame) is wire.KINDS[kind]


def test_long_answers_fit_into_a_frame() -> None:
    assert len(wire.encode(wire.Answer("c", {"tail": "x" * 200_000}))) < wire.MAX_FRAME
