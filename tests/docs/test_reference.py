"""Documentation that can be checked is checked."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(generator().PAGES))
def test_generated_pages_are_current(name: str) -> None:
    """`make docs` writes them anew."""
    module = generator()
    assert (DOCS / "reference" / name).read_text() == module.HEADING + module.PAGES[name]()
