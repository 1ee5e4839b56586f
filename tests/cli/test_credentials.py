"""The credential file: for its owner only, whole, and safe when several commands write it."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from argosy.client.credentials import BadCredentials, Credentials, Login

ADMIN = Login("http://127.0.0.1:5000/v3", "admin", "one", "admin")
TENANT = Login("http://127.0.0.1:5000/v3", "t2", "two", "t2")


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    return Credentials(tmp_path / "argosy" / "credentials.json")


def test_the_first_login_is_the_one_meant(credentials: Credentials) -> None:
    credentials.keep_login("/state", ADMIN)
    credentials.keep_login("/state", TENANT)
    assert credentials.login("/state") == ADMIN
    assert credentials.login("/state", "t2@t2") == TENANT
    assert credentials.login("/state", "nobody@t2") is None
    assert credentials.login("/elsewhere") is None


def test_only_its_owner_reads_it(credentials: Credentials) -> None:
    credentials.keep_login("/state", ADMIN)
    assert credentials.file.stat().st_mode & 0o777 == 0o600
    assert credentials.file.parent.stat().st_mode & 0o777 == 0o700


def keep(arguments: tuple[Path, int]) -> None:
    file, number = arguments
    Credentials(file).keep_password(ADMIN.auth_url, f"instance-{number}", f"password-{number}")


def test_many_at_once_lose_nothing(credentials: Credentials) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(keep, [(credentials.file, number) for number in range(40)]))
    known = [credentials.password(ADMIN.auth_url, f"instance-{number}") for number in range(40)]
    assert known == [f"password-{number}" for number in range(40)]


def test_a_deployment_that_is_gone_is_forgotten_with_its_passwords(credentials: Credentials) -> None:
    other = Login("http://127.0.0.1:6000/v3", "admin", "three", "admin")
    credentials.keep_login("/state", ADMIN)
    credentials.keep_login("/other", other)
    credentials.keep_password(ADMIN.auth_url, "a", "x")
    credentials.keep_password(other.auth_url, "b", "y")
    authority = credentials.keep_authority(ADMIN.auth_url, "PEM")
    credentials.drop_deployment("/state")
    assert not authority.exists()
    assert credentials.states() == ["/other"]
    assert credentials.password(ADMIN.auth_url, "a") is None
    assert credentials.password(other.auth_url, "b") == "y"


def test_a_damaged_file_is_told_and_not_overwritten(credentials: Credentials) -> None:
    credentials.file.parent.mkdir()
    credentials.file.write_text("{")
    with pytest.raises(BadCredentials, match=r"credentials\.json cannot be read"):
        credentials.keep_login("/state", ADMIN)
    assert credentials.file.read_text() == "{"


def test_passwords_do_not_print() -> None:
    assert "one" not in repr(ADMIN)
