.DEFAULT_GOAL := help
.PHONY: help setup run serve test check lint fix types fast bench db migration assets letters \
	docs translations messages lock chromium clean
MAKEFLAGS += --no-print-directory
# Modules are compiled at their first import, not at installation: so the first is quick, the second quicker.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/runtime.stamp
DEV := .venv/dev.stamp
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-compile
COMPILE := $(BIN)/python -m piptools compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
INSTALL_CHROMIUM := apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends chromium
CATALOGUES := $(wildcard donorhub/translations/*/LC_MESSAGES/messages.po)
T ?= tests
WORKERS ?= auto

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) translations ## install everything a developer needs, commit hooks included
	@test ! -d .git || $(BIN)/python -m pre_commit install >/dev/null
	@test -f .env || test ! -f .env.example || cp .env.example .env

run: $(RUNTIME) translations ## set up everything and serve the demo (PORT=8000 INSTANCE_DIR=instance)
	@exec $(BIN)/python -m donorhub.wiring.run

serve: $(RUNTIME) translations ## a development server with reload, beside a running demo's neighbours
	@exec $(BIN)/python -m flask run --debug --port $(or $(PORT),8010)

test: $(DEV) translations chromium ## the whole suite, browser tests included (T=tests/giving for a part)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(T)

check: lint types fast ## what one runs before a commit: lint, types, architecture and fast tests

lint: $(DEV) ## style and format, nothing changed
	@$(BIN)/python -m ruff check --quiet . && $(BIN)/python -m ruff format --check --quiet . \
		&& echo "lint: clean"

fix: $(DEV) ## mend what can be mended by itself
	@$(BIN)/python -m ruff check --quiet --fix . ; $(BIN)/python -m ruff format .

types: $(DEV) ## mypy, strict
	@$(BIN)/python -m mypy

fast: $(DEV) translations ## the tests that take neither a browser nor long
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not browser and not slow" $(T)

bench: $(DEV) translations ## the benchmarks: ratios of one run, written to instance/bench.json
	@$(BIN)/python -m tests.bench

db: $(RUNTIME) ## bring the database's schema up to date
	@$(BIN)/python -m flask db upgrade

migration: $(DEV) ## a new revision of the schema: make migration m="add a table of receipts"
	@$(BIN)/python -m flask db revision "$(m)"

assets: $(RUNTIME) ## build the hashed static files
	@$(BIN)/python -m flask assets build

letters: $(RUNTIME) translations ## render every letter to build/letters/, for eyes
	@$(BIN)/python -m flask letters render build/letters

docs: $(RUNTIME) ## write the generated pages of docs/ again; fails if one was stale
	@$(BIN)/python -m flask docs write

translations: $(CATALOGUES:.po=.mo) ## compile the catalogues of messages

%.mo: %.po | $(RUNTIME)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

messages: $(DEV) ## collect the visible strings and merge them into the catalogues
	@mkdir -p build && $(BIN)/pybabel --quiet extract -F pyproject.toml -k _l -o build/messages.pot .
	@$(BIN)/pybabel --quiet update --no-fuzzy-matching -i build/messages.pot -d donorhub/translations

lock: $(DEV) ## compile the lists of requirements into their locks
	@CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) -o requirements.lock requirements.in
	@CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) -o requirements-dev.lock requirements-dev.in

chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && $(INSTALL_CHROMIUM) >/dev/null 2>&1; } \
		|| echo "The browser tests need Chromium: apt-get install chromium"

clean: ## remove what was built; data in instance/ stays
	@rm -rf .venv build static/build .mypy_cache .pytest_cache .ruff_cache .coverage* htmlcov
	@find donorhub tests migrations -name __pycache__ -prune -exec rm -rf {} +

$(RUNTIME): requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=…")'
	@test -x $(BIN)/pip || { echo "Making .venv and installing what the site needs"; $(PYTHON) -m venv .venv; }
	@$(PIP) --require-hashes -r requirements.lock && touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing what tests and lint need"
	@$(PIP) --require-hashes -r requirements-dev.lock && touch $@
