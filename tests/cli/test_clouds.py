"""Our entry in clouds.yaml, beside those of others."""

from pathlib import Path

import pytest
import yaml

from argosy.cli import clouds
from argosy.client.credentials import Login

LOGIN = Login("http://127.0.0.1:5000/v3", "admin", 'se"cret', "admin")
THEIRS = """\
# kept by hand
clouds:
    # the big one
    public:
        auth: {auth_url: https://example.org/v3, username: me}   # not ours
cache:
    expiration_time: 60
"""


def test_a_new_file_holds_our_cloud(tmp_path: Path) -> None:
    file = tmp_path / "openstack" / "clouds.yaml"
    clouds.write(file, "argosy", LOGIN)
    cloud = yaml.safe_load(file.read_text())["clouds"]["argosy"]
    assert cloud["auth"]["password"] == 'se"cret'
    assert cloud["auth"]["project_name"] == "admin"
    assert file.stat().st_mode & 0o777 == 0o600


def test_other_clouds_and_comments_stay() -> None:
    text = clouds.merged(THEIRS, "argosy", LOGIN)
    told, before = yaml.safe_load(text), yaml.safe_load(THEIRS)
    assert told["clouds"].pop("argosy")["region_name"] == "RegionOne"
    assert told == before
    assert set(THEIRS.splitlines()) <= set(text.splitlines())


def test_written_again_it_is_renewed_and_stands_once() -> None:
    once = clouds.merged(THEIRS, "argosy", LOGIN)
    again = clouds.merged(once, "argosy", Login("http://127.0.0.1:5001/v3", "admin", "other", "admin"))
    assert again == once.replace("5000", "5001").replace('"se\\"cret"', '"other"')


def test_two_deployments_stand_side_by_side() -> None:
    both = clouds.merged(clouds.merged("", "one", LOGIN), "two", LOGIN)
    assert set(yaml.safe_load(both)["clouds"]) == {"one", "two"}


@pytest.mark.parametrize("text", ["clouds: {a: {}}\n", "clouds:\n  argosy:\n    auth: {}\n"])
def test_what_cannot_be_added_to_is_left_alone(text: str) -> None:
    with pytest.raises(clouds.ForeignClouds):
        clouds.merged(text, "argosy", LOGIN)
