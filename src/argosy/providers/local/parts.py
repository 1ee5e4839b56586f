"""What a local provider is made of, on either level."""

from __future__ import annotations

from dataclasses import dataclass

from argosy.providers.base import Compute, Networks, Volumes


@dataclass(frozen=True)
class Parts:
    compute: Compute
    volumes: Volumes
    networks: Networks
