# Needs Python 3.11 or newer and make; everything else comes from the locked package lists.
# The first that runs and is new enough: a name on the PATH may be a shim without a Python behind it.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$name; break; }; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run setup setup-dev test check lint bench bench-sentiment bench-surges soak lock clean help

help:            ## what there is
	@grep -E '^[a-z-]+: .*##' Makefile | sed 's/: .*## */\t/' | expand -t 14

run: setup       ## set up, then watch a brand crisis being caught (Ctrl-C stops it)
	@$(BIN)/python -m deploy.demo

setup: $(VENV)/.run-ready     ## a virtual environment with what running needs

setup-dev: $(VENV)/.dev-ready ## the same with what testing needs

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Listener needs Python 3.11 or newer on the PATH; python3 here is: $$(python3 -V 2>&1 | head -n 1)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Listener needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks the venv module (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: requirements.lock pyproject.toml hatch_build.py package-lock.json | $(VENV)/bin/python
	@echo "Setting up in $(VENV): a minute or two the first time."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-ready: requirements-dev.lock $(VENV)/.run-ready
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

test: setup-dev  ## all tests
	@$(BIN)/python -m pytest -n auto --dist worksteal $(COVERAGE)

lint: setup-dev  ## style, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: COVERAGE := --cov --cov-report=term:skip-covered
check: lint test ## what CI runs: style, types, directions, all tests with branch coverage

bench: setup-dev ## the figures in the docs, measured here and now
	@$(BIN)/python -m tests.bench

bench-sentiment: setup-dev ## the model card's figures; FOLDER=... holds the labelled sets
	@$(BIN)/python -m tests.bench.sentiment $(FOLDER)

bench-surges: setup-dev ## docs/decisions/010; FOLDER=... holds labelled series and windows.json
	@$(BIN)/python -m tests.bench.surges $(FOLDER)

soak: setup-dev  ## what has a longer run, at its full length: kills, restarts, examples of properties
	@$(BIN)/python -m pytest -n auto --dist worksteal -m soak --timeout 3600
	@SOAK=1 $(BIN)/python -m pytest -n auto --dist worksteal tests/property tests/faults/test_histories.py --timeout 3600

lock:            ## pin every package again (needs uv)
	@uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra build pyproject.toml -o requirements.lock
	@uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

clean:           ## forget the virtual environment and what was built
	@rm -rf $(VENV) listener/web/static/vendor alerts/render/fonts node_modules
