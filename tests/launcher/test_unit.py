"""The systemd unit, as systemd itself judges it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from argosy.launcher import unit

SYSTEM, OTHER = Path("/var/lib/argosy"), Path("/srv/argosy-two")


def test_every_deployment_has_a_unit_of_its_own() -> None:
    assert unit.name(SYSTEM) == "argosy.service"
    assert unit.name(OTHER) != unit.name(Path("/srv/argosy-three"))


def test_a_stop_leaves_databases_alone() -> None:
    assert "KillMode=process" in unit.text(OTHER).splitlines()
    assert f"--state {OTHER} up --foreground" in unit.text(OTHER)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_understands_it(tmp_path: Path) -> None:
    file = tmp_path / unit.name(OTHER)
    file.write_text(unit.text(OTHER))
    judged = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert file.name not in judged.stderr, judged.stderr
    assert judged.returncode == 0, judged.stderr
