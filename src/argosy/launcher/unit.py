"""The systemd unit of a root deployment, where systemd runs: back after a reboot, databases left alone by a stop."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from argosy.cli.place import SYSTEM_STATE
from argosy.settings import Settings

UNITS = Path("/etc/systemd/system")
RUNNING = Path("/run/systemd/system")
"""There while systemd is the init of this machine (sd_booted(3))."""

TEMPLATE = """\
[Unit]
Description=Argosy, databases in a second ({state})
Documentation=file://{state}/argosy.toml
After=network.target local-fs.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={python} -m argosy --state {state} up --foreground
# Databases are children of ours by cgroup only: stopping Argosy leaves them running, starting it adopts them.
KillMode=process
Restart=always
RestartSec=1
TimeoutStopSec=40
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
"""


def wanted(deployment: Settings) -> bool:
    return deployment.provider.level == "root" and RUNNING.is_dir()


def name(state: Path) -> str:
    if state == SYSTEM_STATE:
        return "argosy.service"
    return f"argosy-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}.service"


def text(state: Path) -> str:
    return TEMPLATE.format(python=sys.executable, state=state)


def start(deployment: Settings) -> None:
    """Install the unit, start it now and at every boot."""
    file = UNITS / name(deployment.state)
    if not (file.exists() and file.read_text() == text(deployment.state)):
        file.write_text(text(deployment.state))
        _systemctl("daemon-reload")
    _systemctl("enable", "--now", file.name)


def stop(deployment: Settings) -> None:
    _systemctl("stop", name(deployment.state))


def remove(state: Path) -> None:
    file = UNITS / name(state)
    if file.exists():
        _systemctl("disable", "--now", file.name)
        file.unlink()
        _systemctl("daemon-reload")


def _systemctl(*arguments: str) -> None:
    subprocess.run(["systemctl", "--quiet", *arguments], check=True)
