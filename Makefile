# Two commands matter: `make demo` (the whole business in small) and `make test`. Works with GNU make 3.81 and newer.
PORT ?= 8000
DATA_DIR ?= ./data
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Two of three run browsers and encoders at most, and wait meanwhile (tests/spread.py).
TEST_WORKERS ?= 3
LONG_TEST_WORKERS ?= 2

.PHONY: demo test test-long lint bench build lock translations clean

demo: build
	@exec $(BIN)/limber demo --port "$(PORT)" --data-dir "$(DATA_DIR)"

test: build .build/tests
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.checks
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup -m "not long" tests

test-long: build .build/tests
	@$(BIN)/python -m pytest -n $(LONG_TEST_WORKERS) --dist loadgroup -m long --timeout 1200 tests

# Some of the films are made of clips that come with the tests' packages.
bench: build .build/tests
	@$(BIN)/python -m bench all

lint: build .build/tests
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.checks

build:
	@$(MAKE) --no-print-directory -j2 .build/python .build/frontend

.build/venv: requirements-uv.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "Limber needs Python 3.11 or newer (on Debian: apt-get install python3 python3-venv)." >&2; exit 1; fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing; on Debian and Ubuntu run: apt-get install python3-venv" >&2; exit 1; }
	@mkdir -p .build
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

# uv installs in seconds; whoever's network only lets pip through (a mirror in pip's own configuration) gets pip.
# uv compiles only when asked. Where the environment forbids Python to write bytecode a warm start took 13 s, now 4.
INSTALL = set -e; index=$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true); \
	install() { VIRTUAL_ENV="$(CURDIR)/$(VENV)" UV_DEFAULT_INDEX="$$index" UV_NO_CONFIG=1 UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet "$$@" \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$@"; }

.build/python: .build/venv requirements.txt pyproject.toml
	@$(INSTALL); install --require-hashes -r requirements.txt; install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q app sandbox
	@touch $@

.build/node: .build/venv requirements-node.txt
	@if command -v npm >/dev/null 2>&1 && node -e 'process.exit(+process.versions.node.split(".")[0] < 20)' 2>/dev/null; then :; \
	else $(INSTALL); install --require-hashes -r requirements-node.txt; fi
	@touch $@

.build/modules: .build/node package.json package-lock.json .npmrc
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --omit=dev --no-audit --no-fund --loglevel=error
	@touch $@

.build/frontend: .build/modules $(shell find frontend templates -type f 2>/dev/null)
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build
	@touch $@

.build/tests: .build/python .build/modules requirements-dev.txt requirements-spec.txt tests/sandbox/cli/package-lock.json
	@$(INSTALL); install --require-hashes -r requirements-dev.txt; install --no-deps --require-hashes -r requirements-spec.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm install --no-audit --no-fund --no-save --loglevel=error
	@cd tests/sandbox/cli && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@$(BIN)/python -m tests.machine
	@touch $@

# Lock files carry hashes and no addresses, so that a build behind any mirror works (docs/adr/0001).
lock: .build/venv
	@for set in requirements requirements-uv requirements-node requirements-dev; do \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --custom-compile-command "make lock" $$set.in -o $$set.txt; done
	@$(BIN)/uv pip compile --quiet --universal --no-deps --generate-hashes --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" requirements-spec.in -o requirements-spec.txt

# Left to itself, Babel passes over folders like templates/_parts.
translations:
	@$(BIN)/pybabel -q extract -F locale/babel.cfg --ignore-dirs=".*" -k _ -k N_ --no-location --omit-header -o locale/messages.pot app templates

clean:
	@rm -rf .build $(VENV) node_modules static/dist
