"""Tables for people, JSON and YAML for programs."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from argosy.cli import output

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
KEYS = st.text(max_size=100)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12)


@given(DOCUMENTS)
def test_yaml_says_what_json_says(document: Any) -> None:
    assert yaml.safe_load("\n".join(output.yaml(document))) == document


@pytest.mark.parametrize(
    "text", ["yes", "No", "1", "1.5", "null", "~", "a: b", "- a", "#", "2026-11-21", "0x1F", "a #b"]
)
def test_text_that_yaml_would_read_otherwise_is_quoted(text: str) -> None:
    assert yaml.safe_load("\n".join(output.yaml({"key": text}))) == {"key": text}


def test_tables_line_up(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "a", "size": 1}, {"name": "longer", "size": None}]
    output.rows(rows, (("NAME", lambda row: row["name"]), ("SIZE", lambda row: row["size"])), "table")
    assert capsys.readouterr().out == "NAME    SIZE\na       1\nlonger\n"


def test_further_lines_stand_below_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    output.one({}, {"moments": "a to b\nc to d", "kept": "7 days"}, "table")
    assert capsys.readouterr().out == "moments  a to b\n         c to d\nkept     7 days\n"


def test_others_words_give_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "a\x1b[2Jb\x9b1m\x07\rü"}]
    output.rows(rows, (("NAME", lambda row: row["name"]),), "table")
    assert capsys.readouterr().out == "NAME\na\\x1b[2Jb\\x9b1m\\x07\\x0dü\n"
    assert output.plain("a\tb\n") == "a\tb\n"


def test_programs_get_everything(capsys: pytest.CaptureFixture[str]) -> None:
    output.rows([{"name": "a", "more": [1]}], (("NAME", lambda row: row["name"]),), "json")
    assert json.loads(capsys.readouterr().out) == [{"name": "a", "more": [1]}]
