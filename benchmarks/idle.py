"""What Argosy costs when nothing is asked of it: seconds until ready, memory (PSS) and processor of all its processes.

python benchmarks/idle.py [seconds]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

STARTS = 10
TICKS = os.sysconf("SC_CLK_TCK")


def main(seconds: float) -> None:
    with Deployment(level="root" if os.geteuid() == 0 else "user") as argosy:
        eventually(lambda: _settled(argosy), within=120, every=0.5)
        before = {role: _processor(pid) for role, pid in argosy.pids.items()}
        time.sleep(seconds)
        for role, pid in argosy.pids.items():
            share = (_processor(pid) - before[role]) / seconds
            print(f"{role:12} {_pss(pid):6.1f} MB  {100 * share:5.2f} % of a core")
        total = sum(_processor(pid) - before[role] for role, pid in argosy.pids.items()) / seconds
        print(f"{'together':12} {sum(map(_pss, argosy.pids.values())):6.1f} MB  {100 * total:5.2f} % of a core")
        print(f"argosy up    {statistics.median(_start(argosy) for _ in range(STARTS)):6.2f} s, median of {STARTS}")


def _settled(argosy: Deployment) -> bool:
    """The templates are built: from now on nothing is to be done."""
    database = argosy.database
    try:
        with database.read() as session:
            left = session.connection().exec_driver_sql("SELECT count(*) FROM runs WHERE state = 'active'").scalar_one()
    finally:
        database.engine.dispose()
    return left == 0


def _start(argosy: Deployment) -> float:
    """By the command, in the background, as people do it."""
    argosy.down()
    begun = time.monotonic()
    argosy.cli("up")
    seconds = time.monotonic() - begun
    argosy.cli("down")
    return seconds


def _pss(pid: int) -> float:
    """Megabytes, what is shared counted once for all."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
