"""Where everything of one deployment lies, and what it is called in the tables that a whole machine shares."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    state: Path
    """The state directory: everything that this deployment keeps."""

    @property
    def deployment(self) -> str:
        """Eight hex digits that tell this deployment's bridges, namespaces, users and cgroups from every other's."""
        return hashlib.sha256(str(self.state.resolve()).encode()).hexdigest()[:8]

    # --- the pool, level root ---

    @property
    def pool_image(self) -> Path:
        return self.state / "pool.img"

    @property
    def pool(self) -> Path:
        """Mount point of the pool: XFS with reflinks."""
        return self.state / "pool"

    @property
    def mounts(self) -> Path:
        """A shared bind mount, so that unmounting reaches the copies in other mount namespaces."""
        return self.state / "mounts"

    @property
    def images(self) -> Path:
        return self.pool / "volumes"

    def image(self, volume: str) -> Path:
        return self.images / f"{volume}.img"

    def mount(self, volume: str) -> Path:
        return self.mounts / volume

    @property
    def snapshots(self) -> Path:
        return self.pool / "snapshots"

    def snapshot(self, snapshot: str) -> Path:
        return self.snapshots / f"{snapshot}.img"

    def draft(self, volume: str) -> Path:
        """What is going to be the volume's image."""
        return self.snapshots / f"{volume}.new"

    @property
    def sealed(self) -> Path:
        """Templates as images, one file each."""
        return self.pool / "templates"

    def template(self, template: str) -> Path:
        return self.sealed / f"{template}.img"

    # --- plain directories, level user ---

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def templates(self) -> Path:
        return self.state / "templates"

    # --- both levels ---

    @property
    def addresses(self) -> Path:
        return self.state / "addresses"

    @property
    def engines(self) -> Path:
        """Engine roots of this deployment, one subdirectory each."""
        return self.state / "engines"

    @property
    def guests(self) -> Path:
        return self.state / "guests"

    def guest(self, name: str, generation: int) -> Path:
        """The agent's own directory, beside and never on the volume."""
        return self.guests / f"{name}.{generation}"

    @property
    def servers(self) -> Path:
        """What compute knows of each guest, one directory each, out of the guest's reach."""
        return self.state / "servers"

    @property
    def users(self) -> Path:
        """Taken user ids, one file each, level root."""
        return self.state / "users"

    @property
    def published(self) -> Path:
        """What is known of each public port, one directory each, out of the guest's reach."""
        return self.state / "published"

    @property
    def public_ports(self) -> Path:
        """Taken public ports, one file each."""
        return self.state / "public-ports"

    @property
    def run(self) -> Path:
        """Sockets and pid files."""
        return self.state / "run"

    @property
    def helper_socket(self) -> Path:
        return self.run / "helper.sock"

    # --- what the machine shares ---

    @property
    def links(self) -> str:
        """What the names of all network devices of the deployment begin with."""
        return f"ag{self.deployment}-"

    @property
    def bridge(self) -> str:
        return f"{self.links}br"

    def namespace(self, port: str) -> str:
        """Name of a guest's network namespace, as `ip netns` shows it."""
        return f"argosy-{self.deployment}-{port}"

    def link(self, number: int) -> str:
        """Host's end of the cable to the guest with this number in the deployment's network (15 letters at most)."""
        return f"{self.links}{number:04x}"

    @property
    def cgroup(self) -> str:
        """The group under which every guest of the deployment has its own."""
        return f"argosy-{self.deployment}"
