"""docs/use/compatibility.md, from how everything went. `make compatibility` plays the stories and writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from story import Row

PAGE = Path(__file__).parents[2] / "docs" / "use" / "compatibility.md"
TITLES = {
    "openstack": "`openstack database …`, `openstack datastore …` (python-troveclient 8.11)",
    "trove": "The legacy `trove` shell (python-troveclient 8.11)",
    "openstacksdk": "openstacksdk 4.22: `connection.database`",
    "gophercloud": "gophercloud v2, and with it Terraform",
    "Heat": "Heat's resources",
}
OPENING = """<!-- Written by `make compatibility` from what tests/compat saw: change the stories there, then run it. -->

# Clients of Trove

What every command of the public clients did against this version of Argosy, on real engines. The first three are the
client programs themselves, unmodified; gophercloud and Heat are their requests, sent as they send them, and the answers
read as strictly as they read them (exact status codes, types of keys, times). `{…}` stands for an id that an earlier
command showed. What each engine can do is in the [matrix of operations](../reference/matrix.md).
"""


def page(rows: Mapping[str, Sequence[Row]]) -> str:
    lines = [OPENING, "| client | calls | pass | cannot, for the reason told |", "|---|---|---|---|"]
    lines += [_counted(client, rows[client]) for client in TITLES]
    for client, title in TITLES.items():
        lines += ["", f"## {title}", "", "| command | called as | result |", "|---|---|---|"]
        lines += _told(rows[client])
    return "\n".join(lines) + "\n"


def called(row: Row) -> str:
    """As a cell of a table."""
    return "`" + row.called.replace("{{", "{").replace("}}", "}").replace("|", "\\|") + "`"


def _counted(client: str, rows: Sequence[Row]) -> str:
    passed = sum(not each.wrong and not each.cannot for each in rows)
    return f"| {client} | {len(rows)} | {passed} | {sum(bool(each.cannot) for each in rows)} |"


def _told(rows: Sequence[Row]) -> Iterator[str]:
    for each in rows:
        yield f"| {each.command} | {called(each)} | {'FAILS' if each.wrong else each.cannot or 'pass'} |"
