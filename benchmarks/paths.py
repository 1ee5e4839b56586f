"""Fills the templates of routes. Not a benchmark itself."""

from __future__ import annotations

from collections.abc import Mapping


def filled(path: str, nouns: Mapping[str, str]) -> str:
    """Each variable by the segment before it. Raises KeyError for a noun that is not known yet."""
    parts = path.split("/")
    pairs = zip(["", *parts], parts, strict=False)
    return "/".join(nouns[before] if part.startswith("{") else part for before, part in pairs)
