"""Network namespaces, cables and bridges of this machine, by the `ip` program (ip-link(8), ip-netns(8))."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.local.faults import run

NAMESPACES = Path("/run/netns")
LINKS = Path("/sys/class/net")
ROUTES = Path("/proc/net/route")
UP = 0x1


@dataclass(frozen=True)
class Ip:
    """Changes, each made by a program that holds the lock."""

    lock: int

    def batch(self, commands: Sequence[str], namespace: str = "") -> None:
        inside = ["-netns", namespace] if namespace else []
        run(["ip", *inside, "-batch", "-"], told="\n".join(commands) + "\n", held=[self.lock])

    def add_namespace(self, name: str) -> None:
        run(["ip", "netns", "add", name], held=[self.lock])

    def remove_namespace(self, name: str) -> None:
        if is_namespace(name):
            run(["ip", "netns", "delete", name], held=[self.lock])
        (NAMESPACES / name).unlink(missing_ok=True)

    def remove_link(self, link: str) -> None:
        """A cable also goes by itself, soon after the namespace at its other end: what counts is that it is gone."""
        try:
            if (LINKS / link).exists():
                run(["ip", "link", "delete", link], held=[self.lock])
        except errors.CloudFailed:
            if (LINKS / link).exists():
                raise


def is_namespace(name: str) -> bool:
    """A name is there a moment before the namespace is mounted on it: only with that it is one."""
    path = NAMESPACES / name
    return path.exists() and path.stat().st_dev != NAMESPACES.stat().st_dev


def is_up(link: str) -> bool:
    try:
        return bool(int((LINKS / link / "flags").read_text(), 16) & UP)
    except FileNotFoundError:
        return False


def is_isolated(cable: str) -> bool:
    port = LINKS / cable / "brport" / "isolated"
    return port.exists() and port.read_text().strip() == "1"


def routes() -> Iterator[tuple[ipaddress.IPv4Network, str]]:
    """What this host reaches by which device, but for the default."""
    for line in ROUTES.read_text().splitlines()[1:]:
        link, destination, _, _, _, _, _, mask, *_ = line.split()
        network = ipaddress.IPv4Network((_address(destination), _address(mask)))
        if network.prefixlen:
            yield network, link


def _address(word: str) -> str:
    """From the kernel's notation: hexadecimal, last octet first."""
    return str(ipaddress.IPv4Address(bytes.fromhex(word)[::-1]))
