from pathlib import Path

import pytest

from argosy.stores.filesystem import FilesystemStore
from argosy.testing.contracts.store import StoreContract


class TestFilesystem(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FilesystemStore:
        return FilesystemStore(tmp_path)
