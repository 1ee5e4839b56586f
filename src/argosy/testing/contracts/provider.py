"""What every provider promises. Who writes one elsewhere runs the same suite:

class TestMine(ProviderContract):
    @pytest.fixture
    def provider(self): ...

    def place(self, provider, name): ...
"""

from __future__ import annotations

from argosy.testing.contracts.networks import NetworksContract
from argosy.testing.contracts.volumes import VolumesContract


class ProviderContract(VolumesContract, NetworksContract):
    """All of it."""
