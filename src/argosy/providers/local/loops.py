"""Loop devices: a file as a block device (loop(4), linux/loop.h).

Every device is made with the autoclear flag: it goes away by itself with its last user. A process killed between
attaching and mounting leaves nothing behind, and unmounting is all there is to do.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

from argosy import clock, errors

CTL_GET_FREE = 0x4C82
CONFIGURE = 0x4C0A
SET_CAPACITY = 0x4C07
AUTOCLEAR, DIRECT_IO = 4, 16
CONFIG = struct.Struct("=II 5Q4I 64s64s32s 2Q 8Q")
"""struct loop_config: descriptor, block size, struct loop_info64, reserved words."""
MAJOR = 7
RELEASE_SECONDS = 1.0
"""The kernel lets go of a device a moment after its last user has."""
SECTOR = 4096
"""Bytes of a device's blocks, always the same: files that share blocks cannot be read directly in smaller ones."""


@contextmanager
def attached(image: Path) -> Iterator[Path]:
    """The image as a block device, for as long as the block runs or somebody has it mounted."""
    file = os.open(image, os.O_RDWR)
    try:
        device, descriptor = _attach(file)
    finally:
        os.close(file)
    try:
        yield device
    finally:
        os.close(descriptor)


def _attach(file: int) -> tuple[Path, int]:
    while True:
        device = _free()
        descriptor = os.open(device, os.O_RDWR)
        try:
            _configure(descriptor, file)
        except OSError as error:
            os.close(descriptor)
            if error.errno != errno.EBUSY:  # else somebody was faster to take it
                raise
        else:
            return device, descriptor


def _free() -> Path:
    control = os.open("/dev/loop-control", os.O_RDWR)
    try:
        number = ioctl(control, CTL_GET_FREE)
    finally:
        os.close(control)
    device = Path(f"/dev/loop{number}")
    if not device.exists():  # no devtmpfs, as in most containers
        os.mknod(device, stat.S_IFBLK | 0o600, os.makedev(MAJOR, number))
    return device


def _configure(descriptor: int, file: int) -> None:
    """Direct, so that pages are not cached twice; through the cache where the file system below cannot do that."""
    try:
        ioctl(descriptor, CONFIGURE, _config(file, AUTOCLEAR | DIRECT_IO))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        ioctl(descriptor, CONFIGURE, _config(file, AUTOCLEAR))


def _config(file: int, flags: int) -> bytes:
    return CONFIG.pack(file, SECTOR, *(0,) * 5, 0, 0, 0, flags, b"", b"", b"", 0, 0, *(0,) * 8)


def refresh(device: Path) -> None:
    """Let the device see that its file has grown."""
    descriptor = os.open(device, os.O_RDWR)
    try:
        ioctl(descriptor, SET_CAPACITY)
    finally:
        os.close(descriptor)


def below(mount: Path) -> Path:
    """The device that is mounted here."""
    return Path(f"/dev/loop{os.minor(mount.stat().st_dev)}")


def written(device: Path) -> int:
    """How often the device was written to since it is one (Documentation/block/stat.rst)."""
    return int(Path(f"/sys/block/{device.name}/stat").read_text().split()[4])


def users(image: Path) -> list[Path]:
    """Devices that still hold the image."""
    return [device for device, file in _all() if file in {str(image), f"{image} (deleted)"}]


def check_released(image: Path) -> None:
    """Raises CloudBusy when a copy of the mount elsewhere keeps the image: else its space would be lost unnoticed."""
    until = clock.monotonic() + RELEASE_SECONDS
    while held := users(image):
        if clock.monotonic() > until:
            raise errors.CloudBusy(f"{image} is still held by {held[0]}: end what has it mounted in another namespace")
        time.sleep(0.002)


def _all() -> Iterator[tuple[Path, str]]:
    for entry in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            yield Path("/dev") / entry.parts[3], entry.read_text().rstrip("\n")
        except OSError:  # detached while we looked
            continue
