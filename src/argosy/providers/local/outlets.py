"""Networks whose ports can be public: whichever network mode, and on top of it the program that forwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from argosy.providers.base import Port, PortSpec, State
from argosy.providers.local import networks
from argosy.providers.local.addresses import Addresses
from argosy.providers.local.faults import translated
from argosy.providers.local.publishing import Publishing


class Inside(Protocol):
    """One network mode: where guests are reached on this host."""

    @property
    def addresses(self) -> Addresses: ...

    def prepare(self) -> None: ...

    def ensure(self, spec: PortSpec) -> Port: ...

    def delete(self, name: str) -> None: ...

    def owned(self) -> Sequence[str]: ...

    def address(self, name: str) -> str: ...

    def namespace(self, name: str) -> Path | None: ...


@dataclass(frozen=True)
class OpenNetworks:
    inside: Inside
    publishing: Publishing

    def prepare(self) -> None:
        self.inside.prepare()

    def ensure(self, spec: PortSpec) -> Port:
        port = self.inside.ensure(spec)
        with translated(f"port {spec.name} cannot be made as public as it is to be"):
            if not spec.public:
                self.publishing.close(spec.name)
                return port
            state, outside = self.publishing.open(spec, port.address)
            return dataclasses.replace(port, state=state, outside=outside)

    def look(self, name: str) -> Port:
        with translated(f"port {name}"):
            address = self.inside.addresses.find(name)
            if not address:
                return Port(name, State.ABSENT)
            state, outside = self.publishing.look(name)
            network = networks.identifier(self.inside.addresses)
            return Port(name, state, address, network, outside=outside)

    def delete(self, name: str) -> None:
        with translated(f"port {name} cannot be closed"):
            self.publishing.delete(name)
        self.inside.delete(name)

    def owned(self) -> Sequence[str]:
        with translated("ports cannot be listed"):
            return sorted({*self.inside.owned(), *self.publishing.names()})

    def address(self, name: str) -> str:
        return self.inside.address(name)

    def namespace(self, name: str) -> Path | None:
        return self.inside.namespace(name)
