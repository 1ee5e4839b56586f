"""Logs in a guest: kept small, never in a server's way, and the same whoever is killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.agent.init_pipes import Pipes
from argosy.agent.segments import MANY, Segments
from argosy.agent.tail import Tail
from argosy.engines.mysql.logs import MysqlLogs
from argosy.engines.postgresql.logs import PostgresqlLogs
from argosy.testing.agents import RealGuest
from argosy.testing.waiting import eventually

LINE = b"twenty bytes of text\n"


@pytest.fixture
def book(tmp_path: Path) -> Segments:
    return Segments(tmp_path / "log", 100)


def test_offsets_never_change_and_the_oldest_goes(book: Segments, tmp_path: Path) -> None:
    for number in range(100):
        book.append(b"%019d\n" % number)
    start, end = book.extent()
    assert end == 2000
    assert end - start <= MANY * 100
    assert sum(each.stat().st_size for each in (tmp_path / "log").iterdir()) == end - start
    piece = book.read(0, 40)
    assert (piece.offset, piece.data) == (start, b"%019d\n%019d\n" % (start // 20, start // 20 + 1))
    assert book.read(1960, 100).data == b"%019d\n%019d\n" % (98, 99)
    assert book.read(end, 100).data == b""
    again = Segments(tmp_path / "log", 100)
    assert again.extent() == (start, end)


def test_one_entry_of_any_size_is_cut(book: Segments) -> None:
    book.append(b"x" * 1050)
    start, end = book.extent()
    assert (start, end) == (700, 1050)


def test_a_full_file_system_costs_nobody_anything(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("in the way")
    book = Segments(tmp_path / "log", 100)
    book.append(LINE)
    assert book.extent() == (0, 0)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_tail_goes_on_where_it_stood(tmp_path: Path, remembered: bool) -> None:
    source = tmp_path / "engine.log"
    source.write_bytes(LINE)
    tail = Tail(source, tmp_path / "place")
    assert tail.read() == LINE
    if remembered:
        tail.remember()
    with source.open("ab") as out:
        out.write(b"more\n")
    assert Tail(source, tmp_path / "place").read() == (b"more\n" if remembered else LINE + b"more\n")
    assert tail.read() == b"more\n"
    assert tail.read() == b""


def test_a_tail_finds_its_place_in_a_file_that_was_shortened(tmp_path: Path) -> None:
    source = tmp_path / "engine.log"
    lines = b"".join(b"line %d\n" % number for number in range(100))
    source.write_bytes(lines)
    tail = Tail(source, tmp_path / "place")
    assert tail.read() == lines
    source.write_bytes(lines[-300:] + b"after\n")
    assert tail.read() == b"after\n"
    source.write_bytes(b"")
    assert tail.read() == b""
    source.write_bytes(b"all new\n")
    assert tail.read() == b"all new\n"


AT = b"2026-11-21 05:55:54.704 UTC [9] "


@pytest.mark.parametrize(
    ("line", "log"),
    [
        (AT + b"LOG:  listening on Unix socket\n", "error"),
        (AT + b"app@shop LOG:  statement: SELECT 1\n", "general"),
        (AT + b"app@shop LOG:  execute <unnamed>: SELECT 1\n", "general"),
        (AT + b"app@shop LOG:  duration: 1200.1 ms  statement: SELECT 1\n", "slow_query"),
        (AT + b"app@shop ERROR:  syntax error\n", "error"),
        (AT + b"app@shop DETAIL:  Parameters: $1\n", ""),
        (b"\tLOG:  statement: forged\n", ""),
        (b"postgres: could not start\n", ""),
    ],
)
def test_an_entry_of_postgresql_tells_what_it_is(line: bytes, log: str) -> None:
    assert PostgresqlLogs.log_of(object.__new__(PostgresqlLogs), line) == log


def test_our_own_sessions_are_left_out_and_the_time_stays() -> None:
    logs = object.__new__(MysqlLogs)
    lines = (
        b"261121  5:31:35\t     4 Connect\tos_admin@localhost on  using Socket\n",
        b"\t\t     4 Query\tSET SESSION sql_log_off = 1, slow_query_log = 0\n",
        b"\t\t     5 Query\tselect 'of a tenant'\n",
        b"\t\t     5 Quit\t\n",
    )
    kept = [logs.log_kept("general", line) for line in lines]
    assert kept == [b"", b"", b"261121  5:31:35\t     5 Query\tselect 'of a tenant'\n", lines[3]]


def test_a_log_outlives_its_agent(guest: Callable[..., RealGuest]) -> None:
    made = guest("redis")
    made.channel.start()
    made.start()
    made.do("prepare", master="a password")
    before = eventually(lambda: _text(made, "Ready to accept connections"))
    made.kill_agent()
    made.do("restart")
    after = eventually(lambda: _text(made, "Received SIGTERM"))
    assert after.startswith(before)
    seen = made.do("logs")["logs"]
    assert seen["error"]["on"]
    assert seen["guest"]["on"]
    assert seen["slow_query"] == {"start": 0, "end": 0, "digest": "", "on": True}
    assert "connected" in made.do("read_log", log="guest", offset=0, limit=30_000)["text"]


def test_a_pipe_that_nobody_reads_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As init holds it: what does not fit is lost, and who writes goes on."""
    os.mkfifo(tmp_path / "slow.pipe")
    monkeypatch.chdir(tmp_path)
    Pipes().hold()
    writer = os.open("slow.pipe", os.O_WRONLY | os.O_NONBLOCK)
    assert os.write(writer, LINE * 10_000) < len(LINE) * 10_000
    with pytest.raises(BlockingIOError):
        os.write(writer, LINE * 10_000)
    os.close(writer)


def _text(guest: RealGuest, wanted: str) -> str:
    text: str = guest.do("read_log", log="error", offset=0, limit=30_000)["text"]
    assert wanted in text, text
    return text
