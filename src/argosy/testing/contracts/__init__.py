"""What every engine, provider and store promises, as test classes to inherit from."""

from argosy.testing.contracts.engine import EngineContract as EngineContract
from argosy.testing.contracts.store import StoreContract as StoreContract
