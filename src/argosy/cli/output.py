"""What a command found, as a table for people, or as JSON or YAML for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

PLAIN = re.compile(r"[A-Za-z/][\w ./@%+-]*[\w/%]|[A-Za-z/]")
"""Text that YAML reads as text without quotes …"""
WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""… unless it is one of these (YAML 1.1 means something by them)."""

CONTROL = re.compile(r"[^\t\n -~\xa0-\U0010ffff]")

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], Any]]
"""Title, and the cell of a row."""

option = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    help="How to show the result.",
)


def rows(found: Sequence[Row], columns: Sequence[Column], form: str) -> None:
    """A list: chosen columns for people, everything for programs."""
    if form != "table":
        _document(found, form)
        return
    cells = [[title for title, _ in columns], *([_cell(look(row)) for _, look in columns] for row in found)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def one(found: Row, fields: Mapping[str, Any], form: str) -> None:
    """One thing: chosen fields for people, everything for programs. Further lines of a value stand below its first."""
    if form != "table":
        _document(found, form)
        return
    width = max(map(len, fields))
    for title, value in fields.items():
        text = _cell(value).replace("\n", "\n" + " " * (width + 2))
        click.echo(f"{title.ljust(width)}  {text}".rstrip())


def plain(text: str) -> str:
    """As it is, but that it cannot give the reader's terminal orders: names, logs and faults are others' words."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(_cell, value)) if isinstance(value, list | tuple) else plain(str(value))


def _document(found: Any, form: str) -> None:
    click.echo(json.dumps(found, indent=2) if form == "json" else "\n".join(yaml(found)))


def yaml(value: Any) -> list[str]:
    """Lines of block style YAML for what JSON can hold."""
    if isinstance(value, Mapping) and value:
        return [line for name, item in value.items() for line in _entry(f"{_scalar(name)}:", item)]
    if isinstance(value, list | tuple) and value:
        return [line for item in value for line in _item(item)]
    return [_scalar(value)]


def _entry(head: str, value: Any) -> list[str]:
    lines = yaml(value)
    if _nested(value):
        return [head, *(f"  {line}" for line in lines)]
    return [f"{head} {lines[0]}"]


def _item(value: Any) -> list[str]:
    first, *others = yaml(value)
    return [f"- {first}", *(f"  {line}" for line in others)]


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) and value.lower() not in WORDS else _quoted(value)
    text = json.dumps(value)  # JSON's other scalars and empty containers are YAML's too …
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")  # … except that a float wants a point
    return text


def _quoted(text: str) -> str:
    """As in JSON, but for characters beyond 16 bits, which JSON writes as two."""
    return (
        '"' + "".join(json.dumps(each)[1:-1] if ord(each) < 0x10000 else f"\\U{ord(each):08x}" for each in text) + '"'
    )
