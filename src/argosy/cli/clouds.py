"""Our entry in clouds.yaml, which openstack and openstacksdk read. Other entries of the file stay as they are.

The file is edited as text between two marks of ours, so that comments and order of the rest survive.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from argosy import errors
from argosy.client.credentials import Login

TOP = re.compile(r"^clouds:[ \t]*$", re.MULTILINE)


class ForeignClouds(errors.Rejected):
    """clouds.yaml is not of a form that we can add to"""


def default_file(environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "openstack" / "clouds.yaml"


def write(file: Path, cloud: str, login: Login) -> None:
    """Put the entry in or renew it; the file is for its owner only, as it holds a password. Raises ForeignClouds."""
    before = file.read_text() if file.exists() else ""
    text = merged(before, cloud, login)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)


def merged(text: str, cloud: str, login: Login) -> str:
    """The file's text with the entry in it. Raises ForeignClouds."""
    text = re.sub(
        rf"^ *# argosy begins: {re.escape(cloud)}\n.*?^ *# argosy ends: {re.escape(cloud)}\n",
        "",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    if not text.strip():
        text = "clouds:\n"
    top = TOP.search(text)
    if top is None:
        raise ForeignClouds("clouds.yaml has no line `clouds:` of its own: add the entry of `argosy env` by hand")
    if re.search(rf"^ +{re.escape(cloud)}:", text, flags=re.MULTILINE):
        raise ForeignClouds(f"clouds.yaml has a cloud {cloud} that is not ours: choose another name by --cloud")
    following = re.match(r"\n((?:[ \t]*(?:#[^\n]*)?\n)*)( +)\S", text[top.end() :])
    indent = following[2] if following else "  "
    return text[: top.end()] + "\n" + entry(cloud, login, indent) + text[top.end() + 1 :]


def entry(cloud: str, login: Login, indent: str) -> str:
    auth = {
        "auth_url": login.auth_url,
        "username": login.username,
        "password": login.password,
        "project_name": login.project,
        "user_domain_name": login.domain,
        "project_domain_name": login.domain,
    }
    lines = [
        f"# argosy begins: {cloud}",
        f"{cloud}:",
        f"{indent}region_name: {json.dumps(login.region)}",
        f"{indent}identity_api_version: 3",
        f"{indent}auth:",
        *(f"{indent}{indent}{name}: {json.dumps(value)}" for name, value in auth.items()),
        f"# argosy ends: {cloud}",
    ]
    return "".join(f"{indent}{line}\n" for line in lines)
