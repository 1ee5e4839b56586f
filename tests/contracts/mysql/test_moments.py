"""Going back to a moment in the binary log of the MySQL family, with the real server."""

from __future__ import annotations

import contextlib
import os
import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from numbering import Numbers, numbers_in

from argosy import errors
from argosy.engines.archiving import Target
from argosy.engines.mysql.binlog import Log
from argosy.testing import hands
from argosy.testing.mysql import Shelf, fresh, loaded, master, replayed
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Tape
from argosy.testing.waiting import eventually

MOMENTS = 100 if os.environ.get("ARGOSY_SOAK") else 4


@dataclass
class Story:
    """A base backup in the middle of what was written, and all of the log."""

    server: Server
    base: Tape
    shelf: Shelf
    numbers: Numbers
    within: int
    """the last number that the base has"""


@pytest.fixture(scope="module")
def story(farm: Farm, template: Server) -> Story:
    server = fresh(farm, template)
    shelf = Shelf(farm.home / "shelf")
    shelf.ship(server)
    numbers = Numbers(master(server))
    numbers.prepare()
    with numbers.writing():
        eventually(lambda: len(numbers.acknowledged) > 20)
        shelf.ship(server)
        tapes = farm.home / "tapes"
        tapes.mkdir()
        hands.give(tapes)
        base = server.hands.call("record", "mariabackup", tapes / "base")
        enough = time.time() + 3.5
        eventually(lambda: shelf.ship(server) and time.time() > enough, every=0.2)
    numbers.tenant.run("DELETE FROM numbers.n WHERE n = 1 /* the mistake */")
    numbers.tenant.run("INSERT INTO numbers.n VALUES (1000000, NOW(6), 'after the mistake')")
    numbers.tenant.close()
    shelf.ship(server)
    restored = loaded(farm, template, [base])
    restored.start()
    within = numbers_in(restored)[-1]
    restored.stop()
    server.stop()
    return Story(server, base, shelf, numbers, within)


def _back(farm: Farm, template: Server, story: Story, target: Target, logs: Path | None = None) -> list[int]:
    server = loaded(farm, template, [story.base])
    replayed(server, logs or story.shelf.path, story.base.taken.position, target)
    found = numbers_in(server)
    server.stop()
    return found


@pytest.mark.timeout(300 + 30 * MOMENTS)
def test_random_moments_are_exactly_that_prefix(farm: Farm, template: Server, story: Story) -> None:
    """By GTID and by place exactly, by time without a gap and not later, but for the clock's step."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    sample = random.Random(seed)
    later = [number for number in story.numbers.acknowledged if number > story.within]
    for turn in range(MOMENTS):
        number = sample.choice(later)
        match turn % 3:
            case 0:
                found = _back(farm, template, story, Target(transaction=story.numbers.gtids[number]))
                assert found == list(range(1, number + 1))
            case 1:
                found = _back(farm, template, story, Target(position=story.numbers.places[number]))
                assert found == list(range(1, number + 1))
            case _:
                moment = sample.uniform(story.base.taken.moment or 0, max(story.numbers.acknowledged.values()))
                found = _back(farm, template, story, Target(time=moment))
                _assert_prefix_of_the_time(story, found, moment)


def _assert_prefix_of_the_time(story: Story, found: list[int], moment: float) -> None:
    """What was acknowledged a step of the clock before is there, what was begun later is not."""
    acknowledged = story.numbers.acknowledged
    assert found == list(range(1, len(found) + 1))
    due = [number for number, at in acknowledged.items() if at < moment - 2]
    assert len(found) >= max(due, default=0)
    following = acknowledged.get(len(found))
    assert len(found) <= story.within or (following is not None and following < moment + 1)


def test_without_a_target_everything_comes(farm: Farm, template: Server, story: Story) -> None:
    last = max(story.numbers.acknowledged)
    assert _back(farm, template, story, Target()) == [*range(2, last + 1), 1000000]


def test_just_before_a_statement(farm: Farm, template: Server, story: Story) -> None:
    last = max(story.numbers.acknowledged)
    assert _back(farm, template, story, Target(before_statement="the MISTAKE")) == list(range(1, last + 1))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(time=1000.0), "choose an earlier one"),
        (Target(transaction="1-1-99999999"), "which ends with"),
        (Target(before_statement="never said"), "is not in the binary log"),
        (Target(position="binlog.999999:4"), "is not in the binary log"),
        (Target(position="binlog.000001:4"), "before the end of the backup"),
    ],
)
def test_what_cannot_be_had_is_refused(farm: Farm, template: Server, story: Story, target: Target, words: str) -> None:
    with pytest.raises(errors.Rejected, match=words):
        _back(farm, template, story, target)


def test_a_transaction_within_the_backup_is_refused(farm: Farm, template: Server, story: Story) -> None:
    with pytest.raises(errors.Rejected, match="before the end of the backup"):
        _back(farm, template, story, Target(transaction=story.numbers.gtids[1]))


def test_the_backups_own_end_is_a_moment_too(farm: Farm, template: Server, story: Story) -> None:
    gtid = str(story.base.taken.position["gtid"])
    assert _back(farm, template, story, Target(transaction=gtid)) == list(range(1, story.within + 1))


def _middle(logs: Path, story: Story) -> Path:
    """A file behind the base and before the end."""
    names = sorted(each for each in logs.iterdir() if each.name > str(story.base.taken.position["file"]))
    return names[len(names) // 2]


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def _truncate(path: Path) -> None:
    """Between two transactions, so that nothing but the next file says so."""
    groups = list(Log(path).groups())
    os.truncate(path, groups[len(groups) // 2].end)


DAMAGE = {
    "deleted": lambda path: path.unlink(),
    "flipped": lambda path: _flip(path, path.stat().st_size // 2),
    "truncated": _truncate,
    "cut within": lambda path: os.truncate(path, path.stat().st_size // 2 + 3),
    "another's": lambda path: path.write_bytes(min(path.parent.iterdir()).read_bytes()),
    "emptied": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named_and_nothing_is_run(farm: Farm, template: Server, story: Story, kind: str) -> None:
    logs = story.shelf.copy(farm.home / f"damaged-{uuid.uuid4().hex[:6]}")
    victim = _middle(logs, story)
    DAMAGE[kind](victim)
    with pytest.raises(errors.GuestFailed, match=rf"{victim.name}|gap|damaged") as caught:
        _back(farm, template, story, Target(), logs)
    assert "binlog.0" in caught.value.message


def test_a_flipped_bit_anywhere_is_seen(story: Story) -> None:
    """In the file of the base, every event is under a checksum; the one bit that is not is the mark of its use."""
    path = (
        story.shelf.copy(story.shelf.path.with_name(f"flips-{uuid.uuid4().hex[:6]}"))
        / _middle(story.shelf.path, story).name
    )
    whole = path.read_bytes()
    clean = list(Log(path).groups())
    for at in random.Random(7).sample(range(len(whole)), 60):
        _flip(path, at)
        with contextlib.suppress(errors.GuestFailed):
            found = list(Log(path).groups())
            assert at == 21 or found != clean, f"byte {at}"
        path.write_bytes(whole)


def test_what_a_killed_server_had_half_written_is_left_out(story: Story, tmp_path: Path) -> None:
    path = _middle(story.shelf.path, story)
    groups = list(Log(path).groups())
    copy = tmp_path / path.name
    for cut in range(groups[3].start, groups[3].end, 7):
        copy.write_bytes(path.read_bytes()[:cut])
        log = Log(copy)
        assert list(log.groups()) == groups[:3]
        assert log.end == groups[3].start  # an event outside of all groups may stand before it (BINLOG_CHECKPOINT)
