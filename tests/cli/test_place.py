"""Which deployment a command means: OS_* variables, --state, or the credential file."""

from pathlib import Path

import pytest

from argosy.cli.env import variables
from argosy.cli.place import NoLogin, Place, located
from argosy.client.credentials import Credentials, Login

HERE = Login("http://127.0.0.1:5000/v3", "admin", "one", "admin")
THERE = Login("http://127.0.0.1:6000/v3", "admin", "two", "admin")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Two deployments; `here` is where this user's own would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ARGOSY_STATE", "/here")
    credentials = Credentials(tmp_path / "config" / "argosy" / "credentials.json")
    credentials.keep_login("/here", HERE)
    credentials.keep_login("/there", THERE)
    return Place(None)


def test_without_anything_the_own_deployment_is_meant(place: Place) -> None:
    assert located(place, {}) == ("/here", HERE)


@pytest.mark.usefixtures("place")
def test_a_state_directory_chooses() -> None:
    assert located(Place(Path("/there")), {}) == ("/there", THERE)


def test_variables_choose(place: Place) -> None:
    assert located(place, variables("", THERE)) == ("", THERE)


@pytest.mark.usefixtures("place")
def test_a_named_state_directory_wins_over_variables_of_another_deployment() -> None:
    assert located(Place(Path("/there")), variables("", HERE)) == ("/there", THERE)


@pytest.mark.usefixtures("place")
def test_variables_say_who_asks_in_the_named_deployment() -> None:
    tenant = Login(THERE.auth_url, "t2", "three", "t2")
    assert located(Place(Path("/there")), variables("", tenant)) == ("/there", tenant)


@pytest.mark.usefixtures("place")
def test_variables_hold_for_a_deployment_of_somebody_else() -> None:
    assert located(Place(Path("/unknown")), variables("", THERE)) == ("", THERE)


@pytest.mark.usefixtures("place")
def test_an_unknown_deployment_is_told() -> None:
    with pytest.raises(NoLogin, match="no login known for /unknown: argosy up makes one"):
        located(Place(Path("/unknown")), {})


def test_half_a_set_of_variables_is_none(place: Place) -> None:
    assert located(place, {"OS_AUTH_URL": THERE.auth_url, "OS_USERNAME": "x"}) == ("/here", HERE)
