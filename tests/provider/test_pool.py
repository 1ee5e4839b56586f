"""The pool and its volumes at level root: full, larger, after a reboot, frozen, held by somebody else."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

from argosy import errors, settings
from argosy.providers.base import Source
from argosy.providers.local import loops, mounts, parts, xfs

GIB = 1 << 30
NAME = str(uuid.uuid4())


def test_a_full_pool_is_told_with_its_cure_and_deletes_go_on(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    ballast = rooted.ground.layout.pool / "ballast"
    free = os.statvfs(rooted.ground.layout.pool)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - (200 << 20))
    for refused in (
        lambda: rooted.volumes.ensure(str(uuid.uuid4()), 1, Source()),
        lambda: rooted.volumes.grow(NAME, 2),
        lambda: rooted.volumes.snapshot(NAME, str(uuid.uuid4())),
    ):
        with pytest.raises(errors.CloudFailed, match=r"is full: .* delete instances or raise provider.pool_gigabytes"):
            refused()
    rooted.volumes.delete(NAME)
    assert rooted.volumes.owned() == []


def test_a_volume_larger_than_the_pool_is_refused(rooted: parts.Parts) -> None:
    with pytest.raises(errors.CloudFailed, match=r"does not fit into the pool of 7\.9 GiB"):
        rooted.volumes.ensure(NAME, 9, Source())


def test_a_volume_smaller_than_its_template_is_refused(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 2, Source())
    rooted.volumes.make_template("large-1", NAME)
    with pytest.raises(errors.BadRequest, match="ask for 2 GiB or more"):
        rooted.volumes.ensure(str(uuid.uuid4()), 1, Source(template="large-1"))
    assert rooted.volumes.owned() == [NAME]


def test_the_pool_follows_the_settings_when_they_ask_for_more(
    rooted: parts.Parts, configured: Callable[..., settings.Settings]
) -> None:
    parts.as_root(configured(pool_gigabytes=12)).prepare()
    assert os.statvfs(rooted.ground.layout.pool).f_blocks * 4096 > 11 * GIB
    parts.as_root(configured(pool_gigabytes=4)).prepare()
    assert os.statvfs(rooted.ground.layout.pool).f_blocks * 4096 > 11 * GIB


def test_volumes_come_back_after_a_reboot(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    (rooted.volumes.attach(NAME) / "row").write_text("kept")
    layout = rooted.ground.layout
    for point in (*mounts.under(layout.mounts), *mounts.under(layout.pool)):
        mounts.unmount(point)
    assert (rooted.volumes.attach(NAME) / "row").read_text() == "kept"


def test_a_volume_left_frozen_is_thawed_at_the_next_start(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    place = rooted.volumes.attach(NAME)
    descriptor = os.open(place, os.O_RDONLY)
    ioctl(descriptor, xfs.FREEZE, 0)
    os.close(descriptor)
    rooted.prepare()
    (place / "row").write_text("written")


@contextmanager
def another_mount_namespace(propagation: str) -> Iterator[None]:
    """A process that took copies of all mounts with it."""
    argv = ["unshare", "--mount", "--propagation", propagation, "sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.kill()


def test_copies_of_mounts_in_other_namespaces_do_not_hold_a_volume(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    with another_mount_namespace("slave"):
        rooted.volumes.delete(NAME)
        assert not loops.users(rooted.ground.layout.image(NAME))


def test_what_holds_a_volume_elsewhere_is_told_not_forgotten(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    with another_mount_namespace("private"):
        with pytest.raises(errors.CloudBusy, match=r"still held by /dev/loop\d+: end what has it mounted"):
            rooted.volumes.delete(NAME)
        assert rooted.volumes.owned() == [NAME]
    rooted.volumes.delete(NAME)
    assert rooted.volumes.owned() == []


def test_a_volume_in_use_is_not_deleted(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    with (rooted.volumes.attach(NAME) / "open").open("w"), pytest.raises(errors.CloudBusy, match="busy"):
        rooted.volumes.delete(NAME)
    rooted.volumes.delete(NAME)


def test_a_pool_that_somebody_else_put_there_is_not_mounted(configured: Callable[..., settings.Settings]) -> None:
    made = parts.as_root(configured())
    image = made.ground.layout.pool_image
    image.touch()
    os.chown(image, 1, 1)
    with pytest.raises(errors.CloudFailed, match="not a file of this user's"):
        made.prepare()


def test_more_than_a_hundred_volumes(rooted: parts.Parts) -> None:
    rooted.volumes.ensure(NAME, 1, Source())
    rooted.volumes.make_template("seed-1", NAME)
    names = [str(uuid.uuid4()) for _ in range(110)]
    for name in names:
        rooted.volumes.ensure(name, 1, Source(template="seed-1"))
    assert {*names} <= {*rooted.volumes.owned()}
    assert len(mounts.under(rooted.ground.layout.mounts)) == 111  # and the shared directory itself


def test_a_tree_changes_hands_without_following_links(rooted: parts.Parts, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    rooted.volumes.ensure(NAME, 1, Source())
    place = rooted.volumes.attach(NAME)
    (place / "db").mkdir()
    (place / "db" / "trap").symlink_to(outside)
    (place / "db" / "row").touch()
    rooted.volumes.own(NAME, 12345, 12345)
    assert outside.stat().st_uid == 0
    given = (place, place / "db", place / "db" / "trap", place / "db" / "row")
    assert {path.lstat().st_uid for path in given} == {12345}
