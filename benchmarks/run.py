"""Runs every benchmark and writes what they print to docs/benchmarks.md, with date and machine: `make bench`.

With names (`make bench K="gets asking"`) only those are run, and take the place of what the page said of them.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
EACH = (
    "create",
    "gets",
    "asking",
    "conductor",
    "idle",
    "many",
    "durable",
    "engines",
    "backups",
    "recovery",
    "replaying",
    "snapshots",
)
FURTHER = {"conductor": ("postgresql",)}
"""scripts that are run once more, with an argument"""


def main(names: tuple[str, ...]) -> None:
    kept = {} if set(names) == set(EACH) else _sections(PAGE.read_text())
    measured = {name: _measured(name) for name in names}
    told = {name: "\n".join(sections) for name, sections in {**kept, **measured}.items()}
    PAGE.write_text("\n".join([_head(), *(told[name] for name in EACH if name in told)]))


def _measured(name: str) -> list[str]:
    """Each says when it was taken: not all of the page need be of one run."""
    return [_section(name, argument) for argument in ("", *FURTHER.get(name, ()))]


def _sections(page: str) -> dict[str, list[str]]:
    """What the page says already, by benchmark."""
    found: dict[str, list[str]] = {}
    for text in page.split("\n## ")[1:]:
        found.setdefault(text.split(maxsplit=1)[0], []).append(f"## {text.rstrip()}\n")
    return found


def _head() -> str:
    processor = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench`. The raw engine stands beside us in the same run; trust the ratios more than the",
            "seconds: machines differ and are noisy.",
            "",
            f"- machine: {os.cpu_count()} x {processor.partition(':')[2].strip()}, {memory} GiB, {platform.release()}",
            "",
        ]
    )


def _section(name: str, argument: str) -> str:
    script, load = HERE / f"{name}.py", os.getloadavg()[0]
    print(f"== {name} {argument}", flush=True)
    command = [sys.executable, str(script), *([argument] if argument else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    print(ended.stdout, ended.stderr, flush=True)
    if ended.returncode != 0:
        raise SystemExit(f"{name} ended with {ended.returncode}")
    title = script.read_text().partition('"""')[2].partition("\n")[0].rstrip('"').strip()
    printed = ended.stdout.strip()
    body = printed if printed.startswith("|") else f"```\n{printed}\n```"
    taken = f"Taken {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average before {load:.1f}."
    return f"## {name} {argument}".rstrip() + f"\n\n{title} {taken}\n\n{body}\n"


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or EACH)
