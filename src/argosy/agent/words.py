"""What a server that died complained of, out of the last lines of its log."""

from __future__ import annotations

import re

COMPLAINTS = re.compile(
    r"FATAL|PANIC|ERROR|HINT|DETAIL|invalid|unknown|bad directive|can't|cannot|unable|\*\*\*|^>>>", re.IGNORECASE
)
PREFIX = re.compile(
    r"^\S*\d{4}-\d\d-\d\d[T ]+[\d:.]+( [A-Z]{3,4})?( \[\d+\]| \d+)?:?\s*|^\d+:\w \d\d \w{3} \d{4} [\d:.]+ [#*.-]?\s*"
)
"""Time and process, in the manners of the engines: two deaths from one cause say the same without them."""
LINES, MOST = 3, 1000
"""lines and characters: more is of deaths before the last one"""


def complaints(tail: str) -> str:
    """The last few, each once, in their order; of a tail without any the last lines."""
    lines = [PREFIX.sub("", line).strip() for line in tail.splitlines()]
    chosen = [line for line in lines if COMPLAINTS.search(line)] or lines
    last = [*dict.fromkeys(filter(None, reversed(chosen)))][:LINES]
    return " | ".join(reversed(last))[-MOST:]
