"""Images that copies have scattered are in one piece again, while they are written to."""

import mmap
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from argosy.providers.base import Source
from argosy.providers.local import extents, gathering, parts
from argosy.providers.local.extents import SHARED, Extent
from argosy.providers.local.gathering import CHUNK, scattered

NAME = str(uuid.uuid4())
PAGE = 4096
PAGES = 12_000
"""of the file that is scattered: every other one of them makes two pieces of the image"""


def test_an_image_is_in_one_piece_again_and_has_all_that_was_written_meanwhile(rooted: parts.Parts) -> None:
    pages = _scattered(rooted)
    before, room = _pieces(rooted), _free(rooted)
    with _writing(pages, "now") as written:
        rooted.volumes.gather(NAME)
    assert before > gathering.MANY
    assert _pieces(rooted) < gathering.FEW + 2 * len(written)
    assert _free(rooted) > room - 2 * PAGE * len(written) - (8 << 20)
    assert [_begun(pages, number) for number in range(PAGES)] == [
        "now" if number in written else "then" if number % 2 else "once" for number in range(PAGES)
    ]


def test_what_a_copy_has_a_part_of_takes_up_no_more_room(rooted: parts.Parts) -> None:
    pages = _scattered(rooted)
    kept = str(uuid.uuid4())
    rooted.volumes.snapshot(NAME, kept)
    _write(pages, "now", [1])
    before, room = _pieces(rooted), _free(rooted)
    rooted.volumes.gather(NAME)
    assert before <= _pieces(rooted) < before + 50  # the file system's own log, too
    assert _free(rooted) > room - (8 << 20)


def _scattered(rooted: parts.Parts) -> Path:
    """A file whose pages lie apart in the image, in turn, because they were written while there was a copy."""
    rooted.volumes.ensure(NAME, 1, Source())
    pages, copy = rooted.volumes.attach(NAME) / "pages", str(uuid.uuid4())
    _write(pages, "once", range(PAGES))
    rooted.volumes.snapshot(NAME, copy)
    _write(pages, "then", range(1, PAGES, 2))
    rooted.volumes.delete_snapshot(copy)
    return pages


def _write(pages: Path, text: str, numbers: "range | list[int]") -> None:
    """Past all caches, as databases may."""
    file = os.open(pages, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
    try:
        with mmap.mmap(-1, PAGE) as page:
            for number in numbers:
                page[:16] = f"{text:<8}{number:<8}".encode()
                os.pwrite(file, page, number * PAGE)
    finally:
        os.close(file)


@contextmanager
def _writing(pages: Path, text: str) -> Iterator[list[int]]:
    """Pages written while the block runs."""
    written: list[int] = []
    ended = threading.Event()

    def write() -> None:
        for number in range(0, PAGES, 7):
            _write(pages, text, [number])
            written.append(number)
            if ended.is_set():
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        ended.set()
        thread.join()


def _begun(pages: Path, number: int) -> str:
    """What the page says, if it says that it is the one."""
    with pages.open("rb") as file:
        file.seek(number * PAGE)
        said = file.read(16).decode()
    assert int(said[8:]) == number
    return said[:8].rstrip()


def _pieces(rooted: parts.Parts) -> int:
    file = os.open(rooted.ground.layout.image(NAME), os.O_RDONLY)
    try:
        return extents.count(file)
    finally:
        os.close(file)


def _free(rooted: parts.Parts) -> int:
    os.sync()
    told = os.statvfs(rooted.ground.layout.pool)
    return told.f_bfree * told.f_frsize


LENGTHS = st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=60)


@given(LENGTHS, st.integers(0, 50))
def test_no_more_is_moved_than_needed_and_nothing_that_is_not_all_its_own(
    drawn: list[tuple[int, bool]], few: int
) -> None:
    pieces: list[Extent] = []
    for length, shared in drawn:
        start = pieces[-1][0] + pieces[-1][1] if pieces else 0
        pieces.append((start, length * PAGE, SHARED if shared else 0))
    touching = [[piece for piece in pieces if _touches(piece, number)] for number in range(80)]
    chosen = scattered(pieces, few)
    left = sum(map(len, touching)) - sum(len(touching[number]) - 1 for number in chosen)
    for number in chosen:
        assert not any(flags for _, _, flags in touching[number])
        assert sum(_part(piece, number) for piece in touching[number]) == CHUNK
        assert left + len(touching[number]) - 1 > few
    movable = [each for each in touching if len(each) > 1 and not any(flags for _, _, flags in each)]
    whole = [each for each in movable if sum(_part(piece, touching.index(each)) for piece in each) == CHUNK]
    assert left <= few or len(chosen) == len(whole)


def _touches(piece: Extent, number: int) -> bool:
    return _part(piece, number) > 0


def _part(piece: Extent, number: int) -> int:
    start, length, _ = piece
    return max(0, min(start + length, (number + 1) * CHUNK) - max(start, number * CHUNK))
