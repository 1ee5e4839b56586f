"""Backups, restores and drills through Argosy against the engine's own tool piped through zstd -1, in one run.

python benchmarks/backups.py [gigabytes] [rounds]

Each figure is a median of rounds, by hand and through Argosy by turns and at the same priority. By hand: the tool in
the same guest, by its own user, into a file of this machine; back: unpacked into a directory of the same pool, made
ready, started, asked. Through Argosy: from the request to COMPLETED, and from the request to an instance that answers.
The memory is that of the guest's agent and of the child that moves the data (PSS, the most that was seen), without the
engine's tool, in a backup whose time is not taken: looking that often costs time. Where the tools by hand keep all
processors busy by themselves, whatever Argosy does besides (sealing, sending, making durable) is added to their time.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

import by_hand
from keepers import Keeper
from owners import Owner

from argosy.client.resources import Document
from argosy.testing import machines
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

ENGINES = ("postgresql", "mariadb")
ROW = 420
"""bytes of one row, of which zstd -1 makes about a quarter: words with numbers among them, as people keep them"""
WORDS = "order shipped to the customer with invoice and payment pending review by the north warehouse"
FILL = {
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS load (id bigserial PRIMARY KEY, a text, b text)",
        (
            f"INSERT INTO load (a, b) SELECT md5(random()::text) || md5(n::text) || '{WORDS} ' || (n % 97),"
            f" '{WORDS} ' || n || ' {WORDS} ' || md5((n % 5000)::text) FROM generate_series(1, {{rows}}) AS n"
        ),
    ),
    "mariadb": (
        "CREATE DATABASE IF NOT EXISTS filled",
        "CREATE TABLE IF NOT EXISTS filled.filled (id BIGINT AUTO_INCREMENT PRIMARY KEY, a TEXT, b TEXT)",
        (
            f"INSERT INTO filled.filled (a, b) SELECT CONCAT(MD5(RAND()), MD5(seq), '{WORDS} ', seq % 97),"
            f" CONCAT('{WORDS} ', seq, ' {WORDS} ', MD5(seq % 5000)) FROM filled.numbers LIMIT {{rows}}"
        ),
    ),
}
BATCH = 200_000
MEMORY = 512
"""MiB that a server by hand keeps pages in, as that of the guest does"""
SOCKETS, PORT = tempfile.gettempdir(), "5999"
SOCKET = f"--socket={SOCKETS}/bench.sock"
SETTLED = 3.0
"""seconds of rest before each"""
LOOK = 0.1
"""seconds between two questions whether it is done: whoever asks more often is served by the same processors"""


def main(gigabytes: float, rounds: int) -> None:
    print(
        "| engine | stored, MB | backup by hand | Argosy | ratio"
        " | restore by hand | Argosy | ratio | drill | memory, MB |"
    )
    print("|---" * 10 + "|")
    with Deployment("root", backups={"drills": "off"}) as argosy:
        for engine in ENGINES:
            print(measured(argosy, engine, gigabytes, rounds), flush=True)
    print(f"\nSeconds, medians of {rounds}, {gigabytes:g} GB of data, {os.cpu_count()} processors.")


def measured(argosy: Deployment, engine: str, gigabytes: float, rounds: int) -> str:
    owner = Owner(argosy, argosy.client(), {})
    keeper = Keeper(owner)
    instance = owner.ready(engine, flavor="4")
    grow(owner, instance, int(gigabytes * 3) + 2)
    fill(owner, instance, engine, gigabytes)
    with scratch(argosy) as place:
        file = place / "by-hand.zst"
        seen = [one_after_the_other(keeper, instance, engine, file) for _ in range(rounds)]
        size = file.stat().st_size / 1e6
    memory = remembered(keeper, instance, engine)
    owner.delete(instance["id"])
    raw, raw_back, backup, restore, drill = (statistics.median(each) for each in zip(*seen, strict=True))
    return (
        f"| {engine} | {size:.0f} | {raw:.1f} | {backup:.1f} | {backup / raw:.2f} | {raw_back:.1f}"
        f" | {restore:.1f} | {restore / raw_back:.2f} | {drill:.1f} ({drill / raw_back:.2f}) | {memory:.0f} |"
    )


def one_after_the_other(keeper: Keeper, instance: Document, engine: str, file: Path) -> tuple[float, ...]:
    """By hand and through Argosy, so that both have the machine as it is: taken, and given back; and the drill."""
    owner, kept, made = keeper.owner, list[Document](), list[Document]()
    taken = timed(lambda: take(owner.argosy, instance, engine, file))
    backup = timed(lambda: kept.append(backed_up(keeper, instance, engine)))
    back = given_back(engine, file, file.parent / "data")
    restore = timed(lambda: made.append(restored(keeper, kept[0], engine)))
    owner.delete(made[0]["id"])
    drill = drilled(keeper, kept[0])
    owner.client.session.delete(f"/backups/{kept[0]['id']}")
    return taken, back, backup, restore, drill


def restored(keeper: Keeper, backup: Document, engine: str) -> Document:
    """An instance that answers."""
    owner = keeper.owner
    made = keeper.restoring(backup, engine, flavorRef="4", volume={"size": backup["volume_size"]})
    owner.ended(made["id"], within=600, every=LOOK)
    owner.answers(owner.client.instances.get(made["id"]), engine)
    return made


def remembered(keeper: Keeper, instance: Document, engine: str) -> float:
    """MB, at most, while a backup is taken."""
    with watched(instance["id"]) as seen:
        backed_up(keeper, instance, engine)
    return max(seen)


def backed_up(keeper: Keeper, instance: Document, engine: str) -> Document:
    strategy = {"postgresql": "basebackup", "mariadb": "mariabackup"}[engine]
    begun = keeper.begin(instance, "b", strategy=strategy, nice=0)
    backup = keeper.ended(begun["id"], within=600, every=LOOK)
    assert backup["status"] == "COMPLETED", backup
    return backup


def drilled(keeper: Keeper, backup: Document) -> float:
    path = f"/backups/{backup['id']}/drills"
    keeper.owner.client.session.post(path)

    def ended() -> Document | None:
        (drill,) = keeper.owner.client.session.get(path)["drills"]
        return drill if drill["state"] != "running" else None

    drill = eventually(ended, within=600, every=LOOK)
    assert drill is not None
    assert drill["state"] == "passed", drill
    return float(drill["seconds"])


def grow(owner: Owner, instance: Document, gibibytes: int) -> None:
    owner.client.instances.act(instance["id"], {"resize": {"volume": {"size": gibibytes}}})
    owner.ended(instance["id"])


def fill(owner: Owner, instance: Document, engine: str, gigabytes: float) -> None:
    *make, insert = FILL[engine]
    door, rows = owner.door(instance), int(gigabytes * (1 << 30) / ROW)
    for statement in make:
        door.ask(statement)
    if engine == "mariadb":
        door.ask("CREATE TABLE IF NOT EXISTS filled.numbers AS SELECT seq FROM filled.seq_1_to_200000")
    for done in range(0, rows, BATCH):
        door.ask(insert.format(rows=min(BATCH, rows - done)))


# --- by hand ---


def take(argosy: Deployment, instance: Document, engine: str, file: Path) -> None:
    pid = machines.engine_of(instance["id"])
    uid = Path(f"/proc/{pid}").stat().st_uid
    inside = ["nsenter", f"--target={pid}", "--mount", "--pid", f"--setuid={uid}", f"--setgid={uid}", "--"]
    tool = {
        "postgresql": "pg_basebackup -h /a -U os_admin -D - -Ft -X fetch -c fast --no-password",
        "mariadb": "mariadb-backup --defaults-file=/a/bench.cnf --backup --stream=mbstream --target-dir=/tmp/bench",
    }[engine]
    if engine == "mariadb":
        _login(argosy, instance["id"], uid)
    program = {"postgresql": "/usr/lib/postgresql/15/bin/"}.get(engine, "/usr/bin/") + tool
    with subprocess.Popen([*inside, *program.split()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
        with file.open("wb") as out:
            subprocess.run(["zstd", "-1", "--no-progress", "-q"], stdin=source.stdout, stdout=out, check=True)
            os.fsync(out.fileno())
        assert source.wait() == 0, program


def _login(argosy: Deployment, instance: str, uid: int) -> None:
    (home,) = (argosy.state / "guests").glob(f"{instance}*")
    secret = next(each for each in home.rglob("*") if each.is_file() and each.name in ("administrator", "secret"))
    told = f'user = os_admin\npassword = "{secret.read_text()}"\nsocket = /a/mysql.sock\n'
    file = home / "bench.cnf"
    file.write_text(f"[client]\n{told}[mariadb-backup]\n{told}")
    os.chown(file, uid, uid)


def given_back(engine: str, file: Path, data: Path) -> float:
    """Seconds until it answers."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    begun = rested()
    unpack = {"postgresql": f"tar -x -C {data}", "mariadb": f"mbstream -x -C {data}"}[engine]
    subprocess.run(f"zstd -dcq {file} | {unpack}", shell=True, check=True)  # noqa: S602 - a pipe, as one types it
    if engine == "mariadb":
        prepare = ["mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={data}", "--use-memory=512M"]
        subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["chown", "-R", "nobody:nogroup", str(data)], check=True)
    subprocess.run(["sync", "-f", str(data)], check=True)
    with BOOTED[engine](data):
        return time.perf_counter() - begun


@contextmanager
def postgresql(data: Path, **options: object) -> Iterator[None]:
    """A server that answers."""
    (data / "pg_hba.conf").write_text("local all all trust\n")
    (data / "pg_ident.conf").touch()
    told = {
        "config_file": "/dev/null",
        "hba_file": data / "pg_hba.conf",
        "ident_file": data / "pg_ident.conf",
        "shared_buffers": f"{MEMORY}MB",
        "listen_addresses": "",
        "unix_socket_directories": SOCKETS,
        "port": PORT,
        **options,
    }
    words = [f"-c{name}={value}" for name, value in told.items()]
    with by_hand.serving(data, by_hand.POSTGRESQL / "postgres", "-D", data, *words):
        by_hand.answers(by_hand.POSTGRESQL / "pg_isready", "-q", "-h", SOCKETS, "-p", PORT)
        yield


@contextmanager
def mariadb(data: Path, *options: object) -> Iterator[None]:
    """Likewise."""
    told = ("--no-defaults", f"--datadir={data}", "--skip-networking", SOCKET, "--skip-grant-tables")
    with by_hand.serving(data, "/usr/sbin/mariadbd", *told, f"--innodb-buffer-pool-size={MEMORY}M", *options):
        by_hand.answers("mariadb-admin", "--no-defaults", SOCKET, "ping")
        yield


BOOTED: Mapping[str, Callable[[Path], AbstractContextManager[None]]] = {"postgresql": postgresql, "mariadb": mariadb}


@contextmanager
def scratch(argosy: Deployment) -> Iterator[Path]:
    """On the same pool as volumes are, where others than its owner get at it."""
    origin, place = argosy.state / "pool" / "bench", Path(tempfile.mkdtemp(prefix="ag-bench-"))
    origin.mkdir(mode=0o755)
    place.chmod(0o755)
    subprocess.run(["mount", "--bind", str(origin), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()
        shutil.rmtree(origin)


@contextmanager
def watched(instance: str) -> Iterator[list[float]]:
    """The memory of agent and child together, in MB, as often as it could be looked at."""
    seen: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.25):
            seen.append(sum(map(_pss, _ours(instance))) / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _ours(instance: str) -> Iterator[int]:
    for pid in machines.pids_of(instance):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        except OSError:
            continue
        if any(word in ("argosy.agent", "argosy.agent.archiver") for word in words) and "bwrap" not in words[0]:
            yield pid


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def timed(act: Callable[[], Any]) -> float:
    begun = rested()
    act()
    return time.perf_counter() - begun


def rested() -> float:
    """Now, with nothing left to be done of what was before: files are given up slowly, and disks have ideas."""
    os.sync()
    time.sleep(SETTLED)
    return time.perf_counter()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(float(given[0]) if given else 2.0, int(given[1]) if len(given) > 1 else 3)
