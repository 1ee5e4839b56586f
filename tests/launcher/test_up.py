"""What `argosy up` refuses before anything starts."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.launcher import up
from argosy.settings import BadSetting


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_engine_roots_that_may_not_be_read_are_refused_by_the_name_of_their_setting(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = home / "mine" / "engines"
    engines.mkdir(parents=True)
    monkeypatch.setenv("ARGOSY_PROVIDER__ENGINES", str(engines))
    up.prepare(home / "s")
    (home / "mine").chmod(0)
    with pytest.raises(BadSetting, match=rf"provider\.engines: {engines} cannot be read by the user \w+: `chmod"):
        up.prepare(home / "s")
    (home / "mine").chmod(0o755)
    engines.rmdir()
    assert up.prepare(home / "s").provider.engines == str(engines)
