# Thin Ice. `make help` lists the verbs; a variable on the command line reaches the process: make run THINICE_PORT=8123
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# Tried before the Pythons on the path.
PYTHON ?= python3
# Another wheel index for torch alone, e.g. https://download.pytorch.org/whl/cpu for the build without CUDA.
TORCH_INDEX ?=
# torch 2.13 has no wheel for 3.15.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
# One install at a time, so that two `make` do not write into one .venv (where flock exists: every Linux).
LOCKED := $(if $(shell command -v flock),flock Makefile)
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_BENCH := $(VENV)/.installed-bench
INSTALLED_NODE := node_modules/.installed
# What eslint and tsc run in: `engines` of package.json.
SUITABLE_NODE := const [major, minor] = process.versions.node.split(".").map(Number); \
  process.exit(major >= 24 || major === 22 && minor >= 13 || major === 20 && minor >= 19 ? 0 : 1)
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
# The attack libraries that only the bench runs.
PEERS := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["bench"])
# Further words for the bench: make bench ARGS="--samples 50 --networks dense natural"
ARGS ?=
# Small networks on few cores: threads inside torch cost more than they give, and tests would differ between machines.
TESTED := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# Tests run in two processes side by side; make test TEST_PROCESSES=0 runs them in one.
TEST_PROCESSES ?= 2
PYTEST := $(TESTED) $(BIN)/python -m pytest -n $(TEST_PROCESSES) --no-loadscope-reorder

.PHONY: help install run test test-slow check bench demo zoo clean chromium programs suitable-node
help: ## list the verbs, one sentence each
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## build .venv with everything that `make run` needs; TORCH_INDEX=URL chooses torch's wheel index

run: $(INSTALLED) ## start the server and its workers, install first where needed; Ctrl-C stops all of it
	@$(BIN)/python -m backend.supervisor

test: $(INSTALLED_DEV) chromium programs ## check the import direction and run every test that is not slow
	@$(BIN)/lint-imports
	@$(PYTEST) -m "not slow"

test-slow: $(INSTALLED_DEV) chromium programs ## run the slow tests too, minutes to hours
	@$(PYTEST)

check: $(INSTALLED_DEV) $(INSTALLED_NODE) suitable-node ## lint, format, types and import direction, without running a test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@node_modules/.bin/eslint --max-warnings 0 frontend tests eslint.config.mjs
	@node_modules/.bin/tsc

bench: $(INSTALLED_BENCH) ## measure Thin Ice next to other attack libraries; make bench ARGS=--full for all of it
	@$(TESTED) $(BIN)/python -m tests.benchmarks $(ARGS)

demo: $(INSTALLED) ## queue margins for the shipped checkpoints on a server that `make run` started
	@$(BIN)/thinice demo

zoo: $(INSTALLED) ## train and prune the shipped checkpoints that are missing (hours; needs dataset-fashion-mnist)
	@$(BIN)/python -m backend.jobs.zoo

clean: ## remove .venv, node_modules and every cache; what lies in THINICE_HOME stays
	@rm -rf $(VENV) node_modules build thinice.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@chosen=; \
	for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c '$(SUITABLE)' 2>/dev/null; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "Thin Ice needs Python 3.11, 3.12, 3.13 or 3.14; found: $$($(PYTHON) --version 2>&1 | head -n 1)." \
	    "Name one that fits with make install PYTHON=/path/to/python3." >&2; \
	  exit 1; \
	fi; \
	$(LOCKED) "$$chosen" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(INSTALLED): pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (about 2 GB on disk; with torch's CUDA build several GB)"
	@$(if $(TORCH_INDEX),$(LOCKED) $(PIP_INSTALL) --no-deps --index-url $(TORCH_INDEX) torch)
	@$(LOCKED) $(PIP_INSTALL) -e .
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@$(LOCKED) $(PIP_INSTALL) -e '.[dev]'
	@touch $@

# Without what they depend on: one asks for a requests of 2020, others for torchvision, and no attack uses either.
$(INSTALLED_BENCH): $(INSTALLED)
	@$(LOCKED) $(BIN)/python -m pip install --disable-pip-version-check --no-deps $$($(BIN)/python -c '$(PEERS)')
	@touch $@

# The tools that check the scripts, exactly as package-lock.json pins them; nothing of them is part of the product.
$(INSTALLED_NODE): package.json package-lock.json | suitable-node
	@$(LOCKED) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

suitable-node:
	@command -v npm >/dev/null && node -e '$(SUITABLE_NODE)' 2>/dev/null || { \
	  echo "The scripts are checked by eslint and tsc, which need npm and Node.js 20.19, 22.13 or 24 and newer" \
	    "(https://nodejs.org); found: $$(node --version 2>/dev/null || echo no Node.js)." >&2; \
	  exit 1; \
	}

# The tests call the dashboard's scripts in Node.js, 18 or newer, and README's commands with curl and jq: the system's
# programs, else Debian's packages.
programs:
	@missing=; for name in node curl jq; do command -v $$name >/dev/null || missing="$$missing $$name"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
	    $$(echo $$missing | sed 's/node/nodejs/'); \
	else \
	  echo "The tests call scripts in Node.js, 18 or newer (https://nodejs.org), and README's commands with curl and" \
	    "jq; missing:$$missing." >&2; \
	  exit 1; \
	fi

# The browser tests need a Chromium: the system's, else Debian's package, else Playwright's own download.
chromium: $(INSTALLED_DEV)
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; \
	else $(BIN)/python -m playwright install chromium; fi
