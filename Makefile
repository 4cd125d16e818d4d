# `make help` prints a line a target.
PY := .venv/bin/python
DEMO_SECONDS ?=
# most tests wait for real processes: more of them than cores
PYTEST_ARGS ?= -q -n 4

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo test simulate chaos sure lint format types floors docs lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (apt for servers, .venv from requirements.lock)
	@scripts/setup.sh

demo: setup ## the whole machine against the simulator, live; DEMO_SECONDS=90 ends by itself
	@$(PY) -m cli demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

setup-test: setup # and what the browser tests want
	@scripts/setup.sh test

test: setup-test ## every test
	@$(PY) -m pytest $(PYTEST_ARGS)

simulate: setup ## SEEDS whole lives of strikes with faults at every step, on every core (FIRST=seed SEEDS=1 to repeat)
	@$(PY) tests/simulation/night.py --seeds $(or $(SEEDS),1000) $(if $(FIRST),--first $(FIRST)) \
	  $(if $(PROCESSES),--processes $(PROCESSES))

chaos: setup ## MINUTES of random kills and cuts against the running stack (SEED=n to repeat)
	@$(PY) -m benchmarks.chaos --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED))

sure: setup-test lint types floors ## format, lint, types, import floors, tests
	@$(PY) -m pytest $(PYTEST_ARGS)

lint: setup ## format check and lint
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .

format: setup ## write the format
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix-only -q .

types: setup ## mypy
	@.venv/bin/mypy

floors: setup ## imports only go down the stairs
	@.venv/bin/lint-imports

docs: setup ## the documentation site in site/, references made anew, no warning passed over
	@$(PY) -c 'import material' 2>/dev/null || .stockd/tools/venv/bin/uv pip install -q \
		--python $(PY) --group docs
	@$(PY) -m scripts.docs.make
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict -q
	@echo "site/index.html"

lock: setup ## make both lock files anew from pyproject.toml
	@.stockd/tools/venv/bin/uv pip compile -q pyproject.toml --extra local --extra chart --group dev --group docs \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --universal \
		-o requirements.lock
	@.stockd/tools/venv/bin/uv pip compile -q pyproject.toml --group build -c requirements.lock \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --universal \
		-o requirements-run.lock

clean: ## forget the private servers, the environment and every cache
	@$(PY) -m cli down || true
	rm -rf .stockd .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
