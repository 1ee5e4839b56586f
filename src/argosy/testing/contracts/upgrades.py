"""What an engine promises of a server whose data have been of an older version."""

from __future__ import annotations

import uuid

import pytest

from argosy.engines.base import Capability
from argosy.engines.upgrades import Upgrades
from argosy.model.guest import Identity, Secret
from argosy.testing import hands
from argosy.testing.clients import Refused
from argosy.testing.servers import Farm, Server


class UpgradesContract:
    def test_a_secluded_server_is_reached_by_its_agent_only(self, farm: Farm, template: Server) -> None:
        """And is the same as before when it is not any more: there was nothing to convert."""
        if Capability.UPGRADES not in template.engine.capabilities:
            pytest.skip(f"{template.engine.title} does not claim upgrades")
        server = farm.clone(template, Identity(str(uuid.uuid4()), 1))
        server.start()
        password = Secret.generate()
        server.hands.call("put_master", password)
        login = server.login(template.engine.master, password)
        kept = server.connect(login)
        kept.write("kept", "here")
        kept.close()
        server.stop()
        server.hands.call("convert")
        server.process = hands.run(server.hands.call("secluded"), server.log)
        server.wait()
        with pytest.raises(Refused):
            server.connect(login)
        server.hands.call("examine")
        server.stop()
        server.start()
        again = server.connect(login)
        server.hands.call("measure")
        assert again.read("kept") == "here"
        again.close()
        server.stop()

    def test_the_driver_upgrades_what_it_claims(self, template: Server) -> None:
        driver = template.engine.load_driver()(template.site)
        assert isinstance(driver, Upgrades) == (Capability.UPGRADES in template.engine.capabilities)
