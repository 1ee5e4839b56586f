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
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

from backups import LOOK, fill, scratch, timed
from owners import Owner
from recoverers import Recoverer
from snapshots import writing

from argosy.agent.replaying import Log
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
SOCKETS = tempfile.gettempdir()
LARGEST = "--max-allowed-packet=1G"
MEMORY = 512
"""MiB that the server by hand keeps pages in, as that of the guest does"""


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
    owner.client.instances.act(one.instance["id"], {"resize": {"volume": {"size": VOLUME}}})
    owner.ended(one.instance["id"])
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
    return timed(lambda: serve(place, manifest, base, logs=True)) - timed(
        lambda: serve(place, manifest, base, logs=False)
    )


def postgresql(place: Path, manifest: Manifest, base: Path, *, logs: bool) -> None:
    """Its end of recovery writes everything down, as ours does."""
    del manifest
    with _copied(base, place) as data:
        (data / "pg_hba.conf").write_text("local all all trust\n")
        (data / "pg_ident.conf").touch()
        if logs:
            (data / "recovery.signal").touch()
        program = "/usr/lib/postgresql/15/bin/"
        options = {
            "config_file": "/dev/null",
            "hba_file": f"{data}/pg_hba.conf",
            "restore_command": f"cp {place}/logs/%f %p && truncate -s 16M %p",
            "shared_buffers": f"{MEMORY}MB",
            "listen_addresses": "",
            "unix_socket_directories": SOCKETS,
            "port": "5999",
            "hot_standby": "off",
        }
        told = [f"-c{name}={value}" for name, value in options.items()]
        with _serving([f"{program}postgres", "-D", str(data), *told]):
            _until([f"{program}pg_isready", "-q", "-h", SOCKETS, "-p", "5999"])


def mariadb(place: Path, manifest: Manifest, base: Path, *, logs: bool) -> None:
    with _copied(base, place) as data:
        socket = f"--socket={SOCKETS}/bench.sock"
        options = ("--no-defaults", f"--datadir={data}", "--skip-networking", socket, "--skip-grant-tables", LARGEST)
        with _serving(["/usr/sbin/mariadbd", *options, f"--innodb-buffer-pool-size={MEMORY}M"]):
            _until(["mariadb-admin", "--no-defaults", socket, "ping"])
            if logs:
                files = sorted(each for each in (place / "logs").iterdir() if each.name >= manifest.position["file"])
                start = f"--start-position={manifest.position['offset']}"
                read = ["mariadb-binlog", "--no-defaults", start, *map(str, files)]
                with subprocess.Popen(read, stdout=subprocess.PIPE) as source:
                    run = ["mariadb", "--no-defaults", socket, LARGEST]
                    subprocess.run(run, stdin=source.stdout, stderr=subprocess.DEVNULL, check=True)
                    assert source.wait() == 0


@contextmanager
def _copied(base: Path, place: Path) -> Iterator[Path]:
    """A directory of its own, which shares its blocks with the base."""
    data = place / "data"
    subprocess.run(["cp", "-a", "--reflink=always", str(base), str(data)], check=True)
    try:
        yield data
    finally:
        shutil.rmtree(data)


@contextmanager
def _serving(argv: list[str]) -> Iterator[None]:
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([*as_nobody, *argv], stdout=said, stderr=said)
        try:
            yield
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait()


def _until(ask: list[str]) -> None:
    end = time.monotonic() + 300
    while subprocess.run(ask, check=False, capture_output=True).returncode != 0:
        assert time.monotonic() < end, ask
        time.sleep(0.02)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 500, int(given[1]) if len(given) > 1 else 3)
