"""How fast an archived log is replayed by a restore to a moment, against the engine's own tools.

python benchmarks/replaying.py [megabytes] [rounds]

After its backup a database takes in rows by large transactions, and updates of one row each. By hand: the backup as it
lies in a directory, its server started with the log beside it (PostgreSQL), or the log run in it by mariadb-binlog and
mariadb; from the start to the first answer, less what that takes without the log. Through Argosy: the restore to the
last moment, from the request to an instance that answers, less that of the backup alone. Medians, by turns.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

import backups
from backups import LOOK, fill, grow, scratch, timed
from owners import Owner
from recoverers import Recoverer
from snapshots import writing

from argosy.agent.archived import Log
from argosy.agent.stages import Tally
from argosy.agent.throttle import Throttle
from argosy.client.resources import Document
from argosy.model.backups import Manifest
from argosy.salvage import access, history, restoring
from argosy.salvage.reading import Reader
from argosy.testing.deployments import Deployment

ENGINES = ("postgresql", "mariadb")
SMALL_SECONDS = 20.0
"""for which rows are updated one by one"""
VOLUME = 8
"""GiB"""
LARGEST = "--max-allowed-packet=1G"


def main(megabytes: int, rounds: int) -> None:
    print("| engine | log, MB | by hand | Argosy | rate of Argosy : by hand |")
    print("|---" * 5 + "|")
    with Deployment("root", backups={"drills": "off"}) as argosy:
        for engine in ENGINES:
            print(measured(argosy, engine, megabytes, rounds), flush=True)
    print(f"\nSeconds, medians of {rounds}.")


def measured(argosy: Deployment, engine: str, megabytes: int, rounds: int) -> str:
    owner = Owner(argosy, argosy.client(), {})
    one = Recoverer(owner, engine, owner.ready(engine, flavor="4"))
    grow(owner, one.instance, VOLUME)
    fill(owner, one.instance, engine, 0.1)
    one.enable()
    with writing(owner.door(one.instance), engine):
        time.sleep(SMALL_SECONDS)
    fill(owner, one.instance, engine, megabytes / 1024)
    one.arrived(time.time())
    assert len(one.seen()["windows"]) == 1, "there was more log at once than its volume had room for"
    with scratch(argosy) as place:
        laid = lay(argosy, one, place)
        seen = [(by_hand(engine, place, *laid), through_argosy(one, laid[0])) for _ in range(rounds)]
        size = sum(each.stat().st_size for each in (place / "logs").iterdir()) / 1e6
    owner.delete(one.instance["id"])
    hand, ours = (statistics.median(each) for each in zip(*seen, strict=True))
    return f"| {engine} | {size:.0f} | {hand:.1f} | {ours:.1f} | {hand / ours:.2f} |"


def lay(argosy: Deployment, one: Recoverer, place: Path) -> tuple[Manifest, Path]:
    """The backup and the log since, out of the store, as their tools want them."""
    shelf = access.of_deployment(argosy.settings)
    base = max(one.seen()["windows"][-1]["backups"], key=lambda each: str(each["moment"]))
    links = shelf.chain(shelf.find(base["id"]))
    manifest, tally = links[-1].manifest, Tally(Throttle(0))
    found = restoring.choose(manifest, Path("/"))
    restored = restoring.Restored(manifest.engine, found.version, "/", manifest.backup, 0)
    restoring.load(Reader(shelf.store), links, place / "base", restored)
    told = history.find(shelf, manifest)
    log, logs = Log(told, told.order(manifest), tally), place / "logs"
    logs.mkdir()
    for name, size in log.files():
        log.fetch(name, size, logs / name)
    subprocess.run(["chown", "-R", "nobody:nogroup", str(place / "base"), str(logs)], check=True)
    return manifest, place / "base" / "data" / "db"


def through_argosy(one: Recoverer, manifest: Manifest) -> float:
    """Seconds that the log took."""
    backup = {"restorePoint": {"backupRef": manifest.backup}}
    latest = {"restorePoint": {"instance": one.instance["id"], "at": "latest"}}
    return restored(one, latest) - restored(one, backup)


def restored(one: Recoverer, point: Document) -> float:
    """Seconds until an instance of it is there, which is gone again then."""
    made = list[str]()
    took = timed(lambda: made.append(restoring_to(one, point)))
    one.owner.delete(made[0])
    return took


def restoring_to(one: Recoverer, point: Document) -> str:
    owner = one.owner
    wanted = {"name": "r", "flavorRef": "4", "volume": {"size": VOLUME}, "datastore": {"type": one.engine}, **point}
    made = owner.client.session.post("/instances", {"instance": wanted})["instance"]
    owner.ended(made["id"], within=600, every=LOOK)
    assert owner.client.instances.get(made["id"])["status"] == "ACTIVE"
    return str(made["id"])


def by_hand(engine: str, place: Path, manifest: Manifest, base: Path) -> float:
    """Likewise."""
    serve = {"postgresql": postgresql, "mariadb": mariadb}[engine]
    return serve(place, manifest, base, logs=True) - serve(place, manifest, base, logs=False)


def postgresql(place: Path, manifest: Manifest, base: Path, *, logs: bool) -> float:
    """Its end of recovery writes everything down, as ours does."""
    del manifest
    options = {"restore_command": f"cp {place}/logs/%f %p && truncate -s 16M %p", "hot_standby": "off"}
    begun = backups.rested()
    with _copied(base, place) as data:
        if logs:
            (data / "recovery.signal").touch()
        with backups.postgresql(data, **options):
            return time.perf_counter() - begun


def mariadb(place: Path, manifest: Manifest, base: Path, *, logs: bool) -> float:
    begun = backups.rested()
    with _copied(base, place) as data, backups.mariadb(data, LARGEST):
        if logs:
            files = sorted(each for each in (place / "logs").iterdir() if each.name >= manifest.position["file"])
            start = f"--start-position={manifest.position['offset']}"
            read = ["mariadb-binlog", "--no-defaults", start, *map(str, files)]
            with subprocess.Popen(read, stdout=subprocess.PIPE) as source:
                run = ["mariadb", "--no-defaults", backups.SOCKET, LARGEST]
                subprocess.run(run, stdin=source.stdout, stderr=subprocess.DEVNULL, check=True)
                assert source.wait() == 0
        return time.perf_counter() - begun


@contextmanager
def _copied(base: Path, place: Path) -> Iterator[Path]:
    """A directory of its own, which shares its blocks with the base."""
    data = place / "data"
    subprocess.run(["cp", "-a", "--reflink=always", str(base), str(data)], check=True)
    try:
        yield data
    finally:
        shutil.rmtree(data)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 500, int(given[1]) if len(given) > 1 else 3)
