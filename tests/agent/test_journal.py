"""The journal: what was answered is never done again, whatever became of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.agent import journal
from argosy.agent.journal import Journal
from argosy.model import wire


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def answer(name: str, **result: str) -> wire.Answer:
    return wire.Answer(name, dict(result))


def test_answers_outlive_the_agent(file: Path) -> None:
    Journal(file).done(answer("a", version="1"))
    again = Journal(file)
    assert again.answered("a") == answer("a", version="1")
    assert again.unreceived() == [answer("a", version="1")]


def test_a_received_answer_is_remembered_and_not_repeated(file: Path) -> None:
    first = Journal(file)
    first.done(answer("a"))
    first.received("a")
    again = Journal(file)
    assert again.unreceived() == []
    assert again.answered("a") == answer("a")


def test_what_was_never_done_is_not_known(file: Path) -> None:
    log = Journal(file)
    log.received("never")
    assert log.answered("never") is None
    assert not file.exists()


def test_the_file_and_the_memory_stay_small(file: Path) -> None:
    log = Journal(file)
    log.done(answer("waiting"))
    for number in range(3 * journal.COMPACTED_AT):
        log.done(answer(str(number)))
        log.received(str(number))
    again = Journal(file)
    assert len(file.read_text().splitlines()) <= journal.COMPACTED_AT + 1
    assert again.answered("0") is None
    assert again.answered(str(3 * journal.COMPACTED_AT - 1)) is not None
    assert again.unreceived() == [answer("waiting")]


def test_a_line_that_was_torn_by_a_crash_is_as_if_never_written(file: Path) -> None:
    log = Journal(file)
    log.done(answer("a"))
    whole = file.read_bytes()
    log.done(answer("b"))
    for cut in range(len(whole) + 1, len(file.read_bytes())):
        file.write_bytes((whole + b'{"done": {"id": "b"')[:cut])
        torn = Journal(file)
        assert (torn.answered("a") is not None, torn.answered("b"), torn.damage) == (True, None, "")
        torn.done(answer("c"))
        assert Journal(file).answered("c") is not None


@pytest.mark.parametrize(
    "bad", [b"nonsense", b"\xff\x00", b'{"done": 7}', b'{"done": {"id": 1}}', b"[1]", b'{"term": "x"}']
)
def test_a_damaged_line_is_told_and_the_others_count(file: Path, bad: bytes) -> None:
    Journal(file).done(answer("a"))
    file.write_bytes(file.read_bytes() + bad + b"\n")
    damaged = Journal(file)
    damaged.done(answer("b"))
    assert "damaged" in damaged.damage
    assert bad in file.with_name("journal.damaged").read_bytes()
    healed = Journal(file)
    assert (healed.damage, healed.answered("a"), healed.answered("b")) == ("", answer("a"), answer("b"))


def test_terms_only_rise(file: Path) -> None:
    log = Journal(file)
    for term in (3, 2, 5):
        log.raise_term(term)
    assert (log.term, Journal(file).term) == (5, 5)


def test_a_disk_that_refuses_costs_the_memory_only_at_the_next_start(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = Journal(file)
    log.done(answer("a"))
    file.unlink()
    file.mkdir()
    log.done(answer("b"))
    assert log.answered("b") == answer("b")
    assert "cannot be written" in caplog.text
    assert "cannot be read" in Journal(file).damage


def test_nobody_else_may_read_it(file: Path) -> None:
    Journal(file).done(answer("a"))
    assert file.stat().st_mode & 0o077 == 0
