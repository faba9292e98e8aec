# Every target makes .venv by itself when it is missing or older than the lock.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
STAMP := .venv/.installed
UV ?= uv
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-input
# Branch coverage is asked for where a wrong decision costs money.
COVERED := --cov=daemon.engine --cov=risk --cov=brokers.simulated.matching
COVERAGE := $(COVERED) --cov-branch --cov-report=term --cov-fail-under=90

.PHONY: help demo test check simulate bench bench-replay format lock clean

help:
	@echo "make demo    one synthetic session from open to close, then audit and replay"
	@echo "make test    the tests, with branch coverage of the decision code"
	@echo "make check   lint, format, types, layers, house rules"
	@echo "make simulate  a thousand days of bad weather, at most 20 minutes"
	@echo "make bench   speed, as ratios against other tools"
	@echo "make bench-replay  the replay against plain backtrader and other engines"
	@echo "make format  let ruff format and mend what it can"
	@echo "make lock    pin requirements.in into requirements.lock (needs uv)"
	@echo "make clean   remove .venv and caches"

demo: $(STAMP)
	$(BIN)/openbell demo

test: $(STAMP)
	$(BIN)/pytest $(COVERAGE)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/architecture

simulate: $(STAMP)
	$(BIN)/openbell simulate --seeds 0:1000 --weather brutal --budget 20m

bench: $(STAMP)
	$(BIN)/python -m bench

bench-replay: $(STAMP)
	$(BIN)/python -m bench replay --rounds 3

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	$(UV) pip compile --quiet --upgrade --python-version 3.11 --only-binary :all: --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock requirements.in

clean:
	rm -rf .venv .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info

$(STAMP): requirements.lock requirements-source.lock setup.cfg pyproject.toml
	@test -x $(BIN)/python || python3.11 -m venv .venv 2>/dev/null || python3 -m venv .venv
	@$(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) --require-hashes --no-deps --no-build-isolation -r requirements-source.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
