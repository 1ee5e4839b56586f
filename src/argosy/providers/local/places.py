"""Where one guest has what: its volume, its address, its engine's root, and the documents that tell it so."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.model.guest import Secret, Site, TlsMode
from argosy.providers.local.documents import Writing, own_directory, write
from argosy.providers.local.enclosures import Enclosure
from argosy.providers.local.guests import Guest, Record, Records, View
from argosy.providers.local.neighbours import LocalVolumes, Whereabouts
from argosy.providers.local.roots import Roots

MIB = 1 << 20


@dataclass(frozen=True)
class Places:
    records: Records
    volumes: LocalVolumes
    networks: Whereabouts
    roots: Roots

    def furnish(self, record: Record, boot: Secret, enclosure: Enclosure) -> Guest:
        """Everything that the guest's first process will look for. Raises CloudFailed for what is missing."""
        guest = self._guest(record, enclosure.user(record.name))
        own_directory(guest.state, guest.uid)
        self.volumes.own(record.volume, guest.uid, guest.uid)
        site = self._site(record, enclosure.view(guest))
        self._tell(record, dataclasses.asdict(site))
        write(guest.state, "boot.json", boot.value, Writing(guest.uid))
        return guest

    def tell_limits(self, record: Record, **more: int) -> None:
        limits = {"memory": record.ram * MIB, "vcpus": record.vcpus, "tls": record.tls}
        self._tell(record, {**self._told(record), **limits, **more})

    def tell_size(self, record: Record) -> None:
        """The limits, and the volume's size: reading that may take a while where it is not enforced."""
        self.tell_limits(record, volume=self.volumes.usage(record.volume).total)

    def _guest(self, record: Record, uid: int) -> Guest:
        return Guest(
            name=record.name,
            uid=uid,
            home=self.records.home(record.name),
            state=self.records.state(record),
            data=self.volumes.attach(record.volume),
            root=self.roots.get(record.engine, record.version).root,
            namespace=self.networks.namespace(record.port),
            before=self.roots.get(record.engine, record.before).root if record.before else None,
        )

    def _site(self, record: Record, view: View) -> Site:
        return Site(
            root=view.root,
            data=view.data,
            state=view.state,
            address=self.networks.address(record.port),
            port=self.roots.engines[record.engine].port,
            memory=record.ram * MIB,
            vcpus=record.vcpus,
            volume=self.volumes.usage(record.volume).total,
            tls=TlsMode(record.tls),
            before=view.before,
        )

    def _told(self, record: Record) -> dict[str, object]:
        told: dict[str, object] = json.loads((self.records.home(record.name) / "site.json").read_text())
        return told

    def _tell(self, record: Record, site: Mapping[str, object]) -> None:
        """To the guest, and to ourselves: what the guest's directory says by tomorrow is the guest's word."""
        text = json.dumps(site, default=str)
        write(self.records.home(record.name), "site.json", text)
        state = self.records.state(record)
        write(state, "site.json", text, Writing(state.stat().st_uid))
