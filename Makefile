# The verbs of the project; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?=
SUITES := unit property architecture contract golden truth docs clients faults story

.PHONY: help setup demo check test bench soak lock format clean
.DEFAULT_GOAL := help

help: ## List these verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

setup: .venv/ready ## Install Cauce into .venv

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cauce needs Python 3.11 or newer; set PYTHON=…")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: setup ## Play a generated company into Cauce; DEMO="--once" checks it and ends
	@$(BIN)/python -m demo $(DEMO)

check: setup ## Lint, types, imports and the fast tests: under two minutes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest tests/unit tests/architecture tests/docs/test_reference.py

test: setup ## Everything CI runs, each suite with its seconds: under 30 minutes
	@bash tests/prepare.sh
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache
	@CAUCE_SUITES="$(SUITES)" $(BIN)/python tests/run_suites.py

bench: setup ## Measure speed beside floors of the same run; also as JSON in bench/results
	@$(BIN)/python -m bench

soak: setup ## The large versions of the tests: kills, outages of a minute, a thousand random worlds for each property
	@CAUCE_SOAK=1 $(BIN)/python -m pytest -m soak tests
	@CAUCE_SOAK=1 $(BIN)/python -m pytest tests/property

lock: ## Choose versions anew from pyproject.toml
	@$(BIN)/python -m uv pip compile --quiet --no-emit-index-url --no-emit-find-links --universal --python-version 3.11 \
	  --all-extras --generate-hashes --output-file requirements.lock --custom-compile-command "make lock" pyproject.toml

format: setup ## Format the code and sort its imports
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## Remove what the verbs made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-space tests/clients/node/node_modules
