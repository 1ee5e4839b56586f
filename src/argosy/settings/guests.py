"""Where guests run, and what projects may have of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    kind: str = "local"
    """Where guests run."""
    level: str = "auto"
    """`root`: users, cgroups, sized volumes, sandbox; `user`: plain processes; `auto`: root where the state
    directory belongs to root."""
    network: str = "loopback"
    """`loopback`: 127.x.y.z per guest; `namespace`: a network namespace per guest on a private bridge."""
    addresses: str = ""
    """Network that guests' addresses are taken from; empty: a /16 of 127.0.0.0/8 (loopback) or 10.0.0.0/8 (namespace)
    derived from the state directory, so that deployments stay apart."""
    publish_addresses: str = ""
    """Addresses of this host (comma separated) at which public databases are reached; empty: its primary ones."""
    publish_names: str = ""
    """What clients are told instead, and certificates name besides: host names, or the addresses of a NAT before it."""
    publish_ports: str = "20000-24095"
    """Ports that public databases are given, below those that the kernel gives to outgoing connections."""
    pool_gigabytes: int = 0
    """Size of the volume pool in GiB (a sparse file); 0: four fifths of what is free."""
    engines: str = ""
    """Directory with further engine roots, one subdirectory each; empty: `engines` in the state directory."""


@dataclass(frozen=True)
class Tls:
    default_mode: str = "enforced"
    """TLS of new instances: `enforced` refuses plain connections, `basic` allows them too, `mtls` wants certificates
    of clients, `off` speaks none."""
    certificate_days: int = 825
    """How long an instance's certificate is good; it is renewed at two thirds of it."""


@dataclass(frozen=True)
class Flavor:
    id: str
    name: str
    ram: int
    """MiB; enforced as the guest's memory limit."""
    vcpus: float
    """Processors; enforced as the guest's CPU quota."""


# No two have the same RAM: the trove shell sorts by it, and stumbles over a tie of a numeric id with another.
SHIPPED_FLAVORS = (
    Flavor("1", "tiny", 256, 1),
    Flavor("2", "small", 512, 1),
    Flavor("3", "medium", 1024, 1),
    Flavor("4", "large", 2048, 2),
    Flavor("5", "xlarge", 4096, 2),
    Flavor("6", "2xlarge", 8192, 4),
    Flavor("6.1", "2xlarge.compute", 6144, 8),
)


@dataclass(frozen=True)
class Limits:
    instances: int = 200
    """Quota: instances of a project (-1: unlimited). Trove ships 10."""
    volumes: int = 2000
    """Quota: GiB of volumes of a project. Trove ships 40."""
    backups: int = 1000
    """Quota: backups of a project. Trove ships 50."""
    ram: int = -1
    """Quota: MiB of memory of a project."""
    max_volume_gigabytes: int = 1000
    """Largest volume in GiB. Trove ships 10."""
    requests_per_minute: int = 6000
    """Requests of each verb per project and minute. Trove ships 200."""
