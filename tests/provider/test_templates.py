"""A damaged template is noticed, not used, and can be made again."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors, settings
from argosy.providers.base import Source
from argosy.providers.local import parts

KEY = "postgresql-15.18-utf8"


def damaged_image(made: parts.Parts) -> None:
    image = made.ground.layout.template(KEY)
    with image.open("r+b") as file:
        middle = os.lseek(file.fileno(), 1 << 20, os.SEEK_DATA)
        os.pwrite(file.fileno(), b"\xff" * 512, middle)


def cut_image(made: parts.Parts) -> None:
    os.truncate(made.ground.layout.template(KEY), 64 << 20)


def unsealed_image(made: parts.Parts) -> None:
    os.removexattr(made.ground.layout.template(KEY), "user.argosy.sha256")


def changed_file(made: parts.Parts) -> None:
    (made.ground.layout.templates / KEY / "data" / "row").write_text("other")


def missing_file(made: parts.Parts) -> None:
    (made.ground.layout.templates / KEY / "data" / "row").unlink()


def missing_seal(made: parts.Parts) -> None:
    (made.ground.layout.templates / KEY / "seal").unlink()


@pytest.mark.parametrize(
    ("build", "damage"),
    [
        (parts.as_root, damaged_image),
        (parts.as_root, cut_image),
        (parts.as_root, unsealed_image),
        (parts.as_user, changed_file),
        (parts.as_user, missing_file),
        (parts.as_user, missing_seal),
    ],
)
def test_damage_is_noticed_and_mended(
    configured: Callable[..., settings.Settings],
    build: Callable[[settings.Settings], parts.Parts],
    damage: Callable[[parts.Parts], None],
) -> None:
    if build is parts.as_root and os.geteuid() != 0:
        pytest.skip("needs root")
    made = build(configured())
    volume, clone = str(uuid.uuid4()), str(uuid.uuid4())
    made.volumes.ensure(volume, 1, Source())
    row = Path(made.volumes.attach(volume)) / "row"
    row.write_text("whole" * 50_000)
    made.volumes.make_template(KEY, volume)
    assert made.volumes.templates() == [KEY]
    damage(made)
    assert made.volumes.templates() == []
    with pytest.raises(errors.CloudFailed, match="build it again"):
        made.volumes.ensure(clone, 1, Source(template=KEY))
    made.volumes.make_template(KEY, volume)
    assert made.volumes.templates() == [KEY]
    made.volumes.ensure(clone, 1, Source(template=KEY))
    assert (made.volumes.attach(clone) / "row").read_text() == "whole" * 50_000
