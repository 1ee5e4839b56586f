"""What the volumes of every provider promise."""

from __future__ import annotations

import errno
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy import errors
from argosy.providers.base import Feature, Provider, Source, State, Volume
from argosy.testing import killing

GIB = 1 << 30
BLANK = Source()
AT_ONCE = 20


def fresh() -> str:
    return str(uuid.uuid4())


class VolumesContract:
    def place(self, provider: Provider, name: str) -> Path:
        """Where a test can read and write what is in the volume."""
        raise NotImplementedError

    @pytest.fixture
    def made(self, provider: Provider) -> Iterator[Callable[..., str]]:
        """Makes volumes that are gone after the test, and with them whatever a failed test left."""
        before = {*provider.volumes.owned()}

        def make(gigabytes: int = 1, source: Source = BLANK, name: str = "") -> str:
            name = name or fresh()
            assert provider.volumes.ensure(name, gigabytes, source).state is State.ACTIVE
            return name

        yield make
        for name in {*provider.volumes.owned()} - before:
            provider.volumes.delete(name)

    @pytest.fixture
    def template(self, provider: Provider, made: Callable[..., str]) -> Iterator[str]:
        """One with a file `seed` and a directory of a hundred files in it."""
        need(provider, Feature.TEMPLATE)
        volume, name = made(), f"contract-{fresh()}"
        (self.place(provider, volume) / "seed").write_text("sown")
        (self.place(provider, volume) / "many").mkdir()
        for number in range(100):
            (self.place(provider, volume) / "many" / str(number)).write_bytes(os.urandom(8192))
        provider.volumes.make_template(name, volume)
        yield name
        provider.volumes.delete_template(name)

    def test_a_volume_of_one_gibibyte_can_be_used(self, provider: Provider, made: Callable[..., str]) -> None:
        name = made(1)
        (self.place(provider, name) / "row").write_text("here")
        assert provider.volumes.usage(name).total > 900 << 20

    def test_ensure_twice_makes_one(self, provider: Provider, made: Callable[..., str]) -> None:
        before = {*provider.volumes.owned()}
        name = made()
        (self.place(provider, name) / "row").write_text("kept")
        made(name=name)
        assert (self.place(provider, name) / "row").read_text() == "kept"
        assert {*provider.volumes.owned()} - before == {name}

    def test_owned_lists_exactly_what_is_there(self, provider: Provider, made: Callable[..., str]) -> None:
        before = {*provider.volumes.owned()}
        kept, gone = made(), made()
        provider.volumes.delete(gone)
        assert {*provider.volumes.owned()} - before == {kept}

    def test_deleting_what_is_absent_succeeds(self, provider: Provider) -> None:
        provider.volumes.delete(fresh())
        provider.volumes.delete_snapshot(fresh())
        provider.volumes.delete_template("never-was")

    def test_what_is_not_there_cannot_grow(self, provider: Provider) -> None:
        with pytest.raises(errors.CloudFailed, match="there is no volume"):
            provider.volumes.grow(fresh(), 2)

    def test_a_volume_comes_from_no_template_that_is_not_there(self, provider: Provider) -> None:
        name = fresh()
        with pytest.raises(errors.ArgosyError):
            provider.volumes.ensure(name, 1, Source(template="never-was"))
        assert name not in provider.volumes.owned()

    def test_the_size_is_enforced_and_growing_makes_room(self, provider: Provider, made: Callable[..., str]) -> None:
        need(provider, Feature.VOLUME_SIZE)
        name = made(1)
        file = self.place(provider, name) / "large"
        with file.open("wb") as out, pytest.raises(OSError, match="space") as full:
            os.posix_fallocate(out.fileno(), 0, GIB)
        assert full.value.errno == errno.ENOSPC
        assert provider.volumes.grow(name, 2).bytes == 2 * GIB
        with file.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, GIB)
        assert provider.volumes.usage(name).used > GIB

    def test_growing_never_shrinks(self, provider: Provider, made: Callable[..., str]) -> None:
        need(provider, Feature.VOLUME_SIZE)
        assert provider.volumes.grow(made(2), 1).bytes == 2 * GIB

    def test_clones_of_a_template_are_independent(
        self, provider: Provider, made: Callable[..., str], template: str
    ) -> None:
        one, other = (made(2, Source(template=template)) for _ in range(2))
        (self.place(provider, one) / "seed").write_text("changed")
        assert (self.place(provider, other) / "seed").read_text() == "sown"
        assert (self.place(provider, made(1, Source(template=template))) / "seed").read_text() == "sown"
        assert len([*(self.place(provider, other) / "many").iterdir()]) == 100

    def test_a_template_outlives_the_volume_it_was_made_of(
        self, provider: Provider, made: Callable[..., str], template: str
    ) -> None:
        for name in provider.volumes.owned():
            provider.volumes.delete(name)
        assert template in provider.volumes.templates()
        assert (self.place(provider, made(1, Source(template=template))) / "seed").read_text() == "sown"

    def test_a_snapshot_is_one_moment(self, provider: Provider, made: Callable[..., str]) -> None:
        """A writer counts in two files, the second always after the first: no copy may show it otherwise."""
        need(provider, Feature.SNAPSHOT)
        name, snapshot = made(), fresh()
        with counting(self.place(provider, name)):
            provider.volumes.snapshot(name, snapshot)
            provider.volumes.snapshot(name, snapshot)
        copy = self.place(provider, made(1, Source(snapshot=snapshot)))
        provider.volumes.delete_snapshot(snapshot)
        first, second = (len((copy / file).read_bytes()) for file in ("first", "second"))
        assert second <= first <= second + 1

    def test_a_snapshot_that_was_begun_is_of_the_moment_it_is_taken(
        self, provider: Provider, made: Callable[..., str]
    ) -> None:
        """Whatever is written, grown or copied by others between the two."""
        need(provider, Feature.SNAPSHOT)
        name, snapshots = made(), [fresh() for _ in range(4)]
        (self.place(provider, name) / "row").write_text("before")
        for snapshot in snapshots[:3]:
            provider.volumes.gather(name)
            provider.volumes.begin_snapshot(name, snapshot)
        (self.place(provider, name) / "row").write_text("between")
        provider.volumes.snapshot(name, snapshots[3])
        (self.place(provider, name) / "row").write_text("at the moment")
        provider.volumes.snapshot(name, snapshots[0])
        provider.volumes.begin_snapshot(name, snapshots[1])
        provider.volumes.grow(name, 2)
        with counting(self.place(provider, name)):
            provider.volumes.snapshot(name, snapshots[1])
        (self.place(provider, name) / "row").write_text("after")
        provider.volumes.snapshot(name, snapshots[2])
        told = ["at the moment", "at the moment", "after", "between"]
        for snapshot, text in zip(snapshots, told, strict=True):
            copy = self.place(provider, made(2, Source(snapshot=snapshot)))
            assert (copy / "row").read_text() == text
            provider.volumes.delete_snapshot(snapshot)
            counted = [copy / file for file in ("first", "second")]
            first, second = (len(file.read_bytes()) if file.exists() else 0 for file in counted)
            assert second <= first <= second + 1

    def test_every_snapshot_is_listed(self, provider: Provider, made: Callable[..., str]) -> None:
        need(provider, Feature.SNAPSHOT)
        before, name, snapshots = {*provider.volumes.snapshots()}, made(), {fresh(), fresh()}
        for snapshot in snapshots:
            provider.volumes.snapshot(name, snapshot)
        assert {*provider.volumes.snapshots()} - before == snapshots
        for snapshot in snapshots:
            provider.volumes.delete_snapshot(snapshot)
        assert {*provider.volumes.snapshots()} == before

    def test_a_volume_can_become_what_it_was(self, provider: Provider, made: Callable[..., str]) -> None:
        """Once: who asks again, however late, takes nothing away of what was written since. As large as it is now."""
        need(provider, Feature.SNAPSHOT)
        name, snapshot = made(), fresh()
        (self.place(provider, name) / "row").write_text("before")
        provider.volumes.snapshot(name, snapshot)
        (self.place(provider, name) / "row").write_text("after")
        provider.volumes.grow(name, 2)
        assert provider.volumes.revert(name, snapshot).bytes == 2 * GIB
        assert (self.place(provider, name) / "row").read_text() == "before"
        (self.place(provider, name) / "row").write_text("since")
        provider.volumes.revert(name, snapshot)
        provider.volumes.delete_snapshot(snapshot)
        provider.volumes.revert(name, snapshot)
        assert (self.place(provider, name) / "row").read_text() == "since"
        assert self.sound(provider, provider.volumes.ensure(name, 2, BLANK))

    def test_a_volume_can_be_made_anew(self, provider: Provider, made: Callable[..., str]) -> None:
        """Of nothing or of any copy, once for each mark, however often of the same."""
        need(provider, Feature.SNAPSHOT)
        name, snapshot = made(2), fresh()
        (self.place(provider, name) / "row").write_text("before")
        provider.volumes.snapshot(name, snapshot)
        for mark in (fresh(), fresh()):
            blank = fresh()
            assert provider.volumes.remake(name, BLANK, blank).bytes == 2 * GIB
            assert not (self.place(provider, name) / "row").exists()
            provider.volumes.remake(name, Source(snapshot=snapshot), mark)
            assert (self.place(provider, name) / "row").read_text() == "before"
            (self.place(provider, name) / "row").write_text("since")
            provider.volumes.remake(name, Source(snapshot=snapshot), mark)
            assert (self.place(provider, name) / "row").read_text() == "since"
        provider.volumes.delete_snapshot(snapshot)

    def test_a_volume_becomes_nothing_that_is_not_there(self, provider: Provider, made: Callable[..., str]) -> None:
        need(provider, Feature.SNAPSHOT)
        name = made()
        (self.place(provider, name) / "row").write_text("kept")
        with pytest.raises(errors.CloudFailed):
            provider.volumes.revert(name, fresh())
        assert (self.place(provider, name) / "row").read_text() == "kept"

    def test_a_volume_in_use_becomes_nothing_else(self, provider: Provider, made: Callable[..., str]) -> None:
        need(provider, Feature.SNAPSHOT)
        name, snapshot = made(), fresh()
        provider.volumes.snapshot(name, snapshot)
        with (self.place(provider, name) / "row").open("w") as row:
            with pytest.raises(errors.CloudBusy):
                provider.volumes.revert(name, snapshot)
            row.write("kept")
        assert (self.place(provider, name) / "row").read_text() == "kept"
        provider.volumes.revert(name, snapshot)
        assert not (self.place(provider, name) / "row").exists()
        provider.volumes.delete_snapshot(snapshot)

    def test_killed_while_reverting(self, provider: Provider, made: Callable[..., str]) -> None:
        """What it was or what it becomes, and nothing else, until it is asked for again."""
        need(provider, Feature.SNAPSHOT)
        name, snapshots = made(), [fresh()]
        (self.place(provider, name) / "row").write_text("first")
        provider.volumes.snapshot(name, snapshots[0])
        for moment in killing.moments(lambda: provider.volumes.revert(name, snapshots[0])):
            (self.place(provider, name) / "row").write_text("second")
            snapshots.append(fresh())
            provider.volumes.snapshot(name, snapshots[-1])
            (self.place(provider, name) / "row").write_text("third")
            killing.killed(lambda: provider.volumes.revert(name, snapshots[-1]), moment)
            assert (self.place(provider, name) / "row").read_text() in {"second", "third"}
            provider.volumes.revert(name, snapshots[-1])
            assert (self.place(provider, name) / "row").read_text() == "second"
        for snapshot in snapshots:
            provider.volumes.delete_snapshot(snapshot)

    def test_many_at_once(self, provider: Provider, made: Callable[..., str], template: str) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            names = [*pool.map(lambda _: made(1, Source(template=template)), range(AT_ONCE))]
        assert {*names} <= {*provider.volumes.owned()}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(provider.volumes.delete, names))
        assert not {*names} & {*provider.volumes.owned()}

    def test_killed_while_making(self, provider: Provider, template: str) -> None:
        for source in (BLANK, Source(template=template)):
            name = fresh()
            for moment in killing.moments(lambda: provider.volumes.ensure(fresh(), 2, source)):  # noqa: B023
                killing.killed(lambda: provider.volumes.ensure(name, 2, source), moment)  # noqa: B023
                assert self.sound(provider, provider.volumes.ensure(name, 2, source))
                provider.volumes.delete(name)
        assert name not in provider.volumes.owned()

    def sound(self, provider: Provider, volume: Volume) -> bool:
        """Active, of the size it tells, and writable."""
        place = self.place(provider, volume.name)
        (place / "written").write_bytes(os.urandom(8192))
        enforced = Feature.VOLUME_SIZE in provider.features
        large_enough = provider.volumes.usage(volume.name).total > volume.bytes * 0.9
        return volume.state is State.ACTIVE and (large_enough or not enforced)

    def test_killed_while_growing(self, provider: Provider, made: Callable[..., str]) -> None:
        name, sizes = made(), iter(range(2, 1000))
        for moment in killing.moments(lambda: provider.volumes.grow(made(), 2)):
            size = next(sizes)
            killing.killed(lambda: provider.volumes.grow(name, size), moment)  # noqa: B023
            assert self.sound(provider, provider.volumes.grow(name, size))

    def test_killed_while_copying(self, provider: Provider, made: Callable[..., str]) -> None:
        need(provider, Feature.SNAPSHOT)
        name, extra = made(), [fresh()]
        for moment in killing.moments(lambda: provider.volumes.snapshot(name, extra[0])):
            snapshot = fresh()
            killing.killed(lambda: provider.volumes.begin_snapshot(name, snapshot), moment)  # noqa: B023
            killing.killed(lambda: provider.volumes.snapshot(name, snapshot), moment)  # noqa: B023
            provider.volumes.snapshot(name, snapshot)
            assert self.sound(provider, provider.volumes.ensure(name, 1, BLANK))
            extra.append(snapshot)
        for snapshot in extra:
            provider.volumes.delete_snapshot(snapshot)

    def test_killed_while_sealing(self, provider: Provider, made: Callable[..., str], template: str) -> None:
        volume, name = made(1, Source(template=template)), f"contract-{fresh()}"
        for moment in killing.moments(lambda: provider.volumes.make_template(name, volume)):
            provider.volumes.delete_template(name)
            killing.killed(lambda: provider.volumes.make_template(name, volume), moment)
            if name in provider.volumes.templates():
                assert (self.place(provider, made(1, Source(template=name))) / "seed").read_text() == "sown"
            provider.volumes.make_template(name, volume)
            assert name in provider.volumes.templates()
        provider.volumes.delete_template(name)

    def test_killed_while_deleting(self, provider: Provider, made: Callable[..., str], template: str) -> None:
        victim = made(1, Source(template=template))
        for moment in killing.moments(lambda: provider.volumes.delete(victim)):
            name = made(1, Source(template=template))
            killing.killed(lambda: provider.volumes.delete(name), moment)  # noqa: B023
            provider.volumes.delete(name)
            assert name not in provider.volumes.owned()


def need(provider: Provider, feature: Feature) -> None:
    if feature not in provider.features:
        pytest.skip(f"{provider.name} does not claim {feature}")


class counting:  # noqa: N801 - reads as a verb where it is used
    """Appends a byte to `first`, then one to `second`, over and over, while the block runs."""

    def __init__(self, place: Path) -> None:
        self.files = [place / "first", place / "second"]
        self.stopped = threading.Event()
        self.started = threading.Event()
        self.thread = threading.Thread(target=self._count)

    def __enter__(self) -> None:
        self.thread.start()
        assert self.started.wait(30)

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _count(self) -> None:
        files = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in self.files]
        while not self.stopped.is_set():
            for file in files:
                os.write(file, b".")
            self.started.set()
        for file in files:
            os.close(file)
