"""Runs every benchmark and writes what they print to docs/benchmarks.md, with date and machine: `make bench`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
EACH = ("create", "api", "conductor", "idle", "many", "durable", "engines")
FURTHER = {"conductor": ("postgresql",)}
"""scripts that are run once more, with an argument"""


def main(names: tuple[str, ...]) -> None:
    sections = [_head(), *(_section(name, argument) for name in names for argument in ("", *FURTHER.get(name, ())))]
    PAGE.write_text("\n".join(sections))


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
            f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            f"- machine: {os.cpu_count()} x {processor.partition(':')[2].strip()}, {memory} GiB, {platform.release()}",
            f"- load average at the start: {os.getloadavg()[0]:.1f}",
            "",
        ]
    )


def _section(name: str, argument: str) -> str:
    script = HERE / f"{name}.py"
    print(f"== {name} {argument}", flush=True)
    command = [sys.executable, str(script), *([argument] if argument else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    print(ended.stdout, ended.stderr, flush=True)
    if ended.returncode != 0:
        raise SystemExit(f"{name} ended with {ended.returncode}")
    title = script.read_text().partition('"""')[2].partition("\n")[0].rstrip('"').strip()
    printed = ended.stdout.strip()
    body = printed if printed.startswith("|") else f"```\n{printed}\n```"
    return f"## {name} {argument}".rstrip() + f"\n\n{title}\n\n{body}\n"


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or EACH)
