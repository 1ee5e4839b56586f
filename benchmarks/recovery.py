"""What is lost with a disk, of what a writer was told is written, and how soon the rest is back: in seconds.

python benchmarks/recovery.py [losses]

A client writes numbered rows, each acknowledged, for ten seconds. Then everything of its guest is killed and its volume
is taken away. What the archive has is restored into a new instance: loss is the time from the last row that is there to
the last that was acknowledged, back the time from the request to an instance that answers.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

from owners import ENGINES, Owner
from recoverers import Recoverer
from test_recovery import destroy

from argosy.testing.deployments import Deployment

WRITING = 10.0


def main(losses: int) -> None:
    print("| engine | lost: median | max | back: median | rows |")
    print("|---" * 5 + "|")
    with Deployment("root", backups={"drills": "off"}) as argosy:
        for engine in ENGINES:
            lost, back, rows = zip(*(measured(argosy, engine) for _ in range(losses)), strict=True)
            told = (statistics.median(lost), max(lost), statistics.median(back))
            print(f"| {engine} | {' | '.join(f'{each:.2f}' for each in told)} | {sum(rows)} |", flush=True)
    print(f"\nSeconds over {losses} losses.")


def measured(argosy: Deployment, engine: str) -> tuple[float, float, int]:
    owner = Owner(argosy, argosy.client(), {})
    writer = Recoverer(owner, engine, owner.ready(engine))
    writer.prepare()
    writer.enable()
    with writer.writing():
        time.sleep(WRITING)
        destroy(argosy, writer.instance)
    begun = time.perf_counter()
    restored = writer.restored({"at": "latest"})
    back = time.perf_counter() - begun
    kept = writer.numbers(restored)
    lost = writer.written[-1] - writer.written[kept - 1]
    for each in (writer.instance, restored):
        owner.delete(each["id"])
    return lost, back, len(writer.written)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
