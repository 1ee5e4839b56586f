"""What a conductor costs, and how much it takes in: `python benchmarks/conductor.py [postgresql] [--guests 1000]`.

Simulated agents run in this process, the conductor in its own; its figures are read from /proc. Ingest is measured at
the database: an offered rate counts when every guest's row follows its last heartbeat within a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from argosy.db.session import Database
from argosy.db.tables import Guest
from argosy.testing import databases
from argosy.testing.channel import Channel
from argosy.testing.guests import Simulated, enrolled, trust
from argosy.testing.waiting import eventually

BEAT_SECONDS = 10.0
STORM_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
RATES = (500, 1000, 1500, 2000, 2500, 3000, 4000)
INGEST_SECONDS = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", nargs="?", default="sqlite", choices=databases.KINDS, help="of the control database")
    parser.add_argument("--guests", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=30.0, help="seconds to measure at rest")
    options = parser.parse_args()
    with databases.serve(options.kind, durable=True) as server, server.empty() as database:
        print(json.dumps(asyncio.run(run(database, options.guests, options.idle)), indent=2))


async def run(database: Database, guests: int, idle: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as directory:
        url = database.url.render_as_string(hide_password=False)
        channel = Channel(Path(directory), url=url, heartbeat_seconds=BEAT_SECONDS)
        try:
            return await measure(channel, guests, idle)
        finally:
            channel.close()


async def measure(channel: Channel, count: int, idle: float) -> dict[str, Any]:
    guests = enrolled(channel.database, count, interval=BEAT_SECONDS)
    channel.start()
    figures: dict[str, Any] = {"database": channel.database.dialect, "guests": count, "pss_mb_empty": pss(channel)}
    async with alive(channel, guests):
        figures["connected_after_s"] = await until_connected(channel, count)
        figures |= await at_rest(channel, idle)
        figures |= await storm(channel, count)
        figures["command_ms_p50"] = await commands(channel, guests)
    async with alive(channel, guests, interval=3600.0):
        await until_connected(channel, count)
        figures["ingest_per_s"] = await ingest(channel, guests)
    return figures


@contextlib.asynccontextmanager
async def alive(channel: Channel, guests: Sequence[Simulated], interval: float = BEAT_SECONDS) -> AsyncIterator[None]:
    """All guests, coming within a few seconds of each other."""
    tls = trust(channel.authority.pem)
    tasks = []
    for number, guest in enumerate(guests):
        guest.interval = interval
        tasks.append(asyncio.create_task(guest.live(channel.url, tls, number * STORM_SECONDS / len(guests))))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until_connected(channel: Channel, count: int) -> float:
    began = time.monotonic()
    await asyncio.to_thread(eventually, lambda: connected(channel) >= count, PATIENCE_SECONDS, 0.1)
    return round(time.monotonic() - began, 2)


async def at_rest(channel: Channel, seconds: float) -> dict[str, float]:
    await asyncio.sleep(BEAT_SECONDS / 2)
    before = cpu(channel)
    await asyncio.sleep(seconds)
    return {"cpu_percent": round(100 * (cpu(channel) - before) / seconds, 1), "pss_mb": pss(channel)}


async def storm(channel: Channel, count: int) -> dict[str, float]:
    """The conductor is killed and started again: everybody comes back at once."""
    await asyncio.to_thread(channel.kill)
    with channel.database.write() as session:
        session.query(Guest).update({Guest.connected: False})
    await asyncio.to_thread(channel.start)
    return {"all_back_after_s": await until_connected(channel, count), "pss_mb_after_storm": pss(channel)}


async def commands(channel: Channel, guests: Sequence[Simulated]) -> float:
    """From the row to its answer in the database, one after another."""
    took = []
    for guest in guests[:50]:
        began = time.monotonic()
        name = await asyncio.to_thread(channel.ask, guest.id, "noop")
        await asyncio.to_thread(channel.await_answer, name)
        took.append(time.monotonic() - began)
    return round(sorted(took)[len(took) // 2] * 1000, 1)


async def ingest(channel: Channel, guests: Sequence[Simulated]) -> int:
    """Heartbeats per second, the most that were offered and found written."""
    best = 0
    for rate in RATES:
        offered = await offer(guests, rate)
        if not await followed(channel, guests):
            break
        best = max(best, offered)
    return best


async def offer(guests: Sequence[Simulated], rate: int) -> int:
    """So many heartbeats per second for a while; how many it really were."""
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < INGEST_SECONDS:
        while sent < passed * rate:
            await guests[sent % len(guests)].beat()
            sent += 1
        await asyncio.sleep(0.01)
    return int(sent / INGEST_SECONDS)


async def followed(channel: Channel, guests: Sequence[Simulated]) -> bool:
    """Whether the last heartbeat of every guest is in the database a second later."""
    await asyncio.sleep(1.0)
    return await asyncio.to_thread(written, channel) == sum(guest.seq for guest in guests)


def written(channel: Channel) -> int:
    with channel.database.read() as session:
        return int(session.scalar(select(func.sum(Guest.seq))) or 0)


def connected(channel: Channel) -> int:
    with channel.database.read() as session:
        return int(session.scalar(select(func.count()).where(Guest.connected.is_(True))) or 0)


def cpu(channel: Channel) -> float:
    """Seconds of processor that the conductor has used."""
    fields = Path(f"/proc/{pid(channel)}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss(channel: Channel) -> float:
    lines = Path(f"/proc/{pid(channel)}/smaps_rollup").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024, 1)


def pid(channel: Channel) -> int:
    if channel.process is None:
        raise RuntimeError("no conductor runs")
    return channel.process.pid


if __name__ == "__main__":
    main()
