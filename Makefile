# Every developer command. `make` alone lists them.

SHELL := /bin/sh
VENV := $(shell ROOT=$(CURDIR) sh -c '. scripts/shared.sh; venv_path')
PYTHON := $(VENV)/bin/python
RUN := $(VENV)/bin
K ?=
SIDE ?= 4# tests that run side by side: most of them wait for servers, so that two processors carry four
PYTEST := $(PYTHON) -m pytest $(if $(K),-k "$(K)")
ENGINES := postgresql mariadb redis

.DEFAULT_GOAL := help
.PHONY: help venv packages check test engines system compatibility bench soak docs clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf 'make %-13s %s\n' "$$name" "$$text"; done

venv: ## the Python environment with everything that tests need
	@scripts/install-python test

packages: ## the engines, servers and tools that tests need, from the distribution
	@scripts/install-packages base $(ENGINES) sftp

check: venv ## what a commit needs: format, lint, types, import contracts, unit tests and documentation
	$(RUN)/ruff format --check src tests
	$(RUN)/ruff check src tests
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(PYTEST) -q tests/unit tests/docs

test: packages venv ## everything, on real engines; installs what it needs (SIDE=1: one after the other)
	$(PYTEST) -n $(SIDE)

engines: packages venv ## the contracts of engines, providers and stores, on the engines found here
	$(PYTEST) tests/contracts

system: packages venv ## the whole product on real engines (K=restart for some)
	$(PYTEST) tests/system

compatibility: packages venv ## writes docs/use/compatibility.md: every command of the public clients, on real engines
	REQUIRE_ENGINES=clients ARGOSY_COMPATIBILITY=write $(PYTHON) -m pytest tests/compat/test_every_client.py

bench: packages venv ## writes docs/benchmarks.md: measured here, raw engines beside ours (K="gets asking" for some)
	@scripts/install-packages bench
	$(PYTHON) benchmarks/run.py $(K)

soak: packages venv ## the whole of what `make test` samples (hours): every kill, every control database; writes docs/soak.md
	@scripts/soak $(PYTHON)

docs: venv ## make the references from the code
	$(PYTHON) docs/generate.py

clean: ## take away what builds and tests left in the checkout
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
