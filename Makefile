# Everything this repository can do, a line each: make help
PYTHON ?= python3
ORGS ?= 12
CALLS ?= 1200
SIZES ?= 1k,10k,100k,1M
ROUNDS ?= 60
BIN := .venv/bin
NODE_DIR := supabase/local
STACK := node $(NODE_DIR)/main.mjs
SEEDER := node $(NODE_DIR)/seed/main.mjs
SEED_OPTIONS = $(if $(SEED),--seed $(SEED)) $(if $(REPLACE),--replace) $(addprefix --org-calls ,$(ORG_CALLS))
TESTS := $(STACK) --ephemeral --redis -- $(BIN)/pytest
# Some tests run make, which should not take itself for a part of this one.
NO_MAKE := -u MAKEFLAGS -u MFLAGS -u MAKELEVEL
WAITING := tests/cache tests/stack
SERVING := tests/browser tests/webhooks $(wildcard tests/test_*.py)
GUNICORN := $(BIN)/gunicorn wsgi:app -c voxanne/gunicorn.py
VENV_STAMP := .venv/.installed
NODE_STAMP := $(NODE_DIR)/node_modules/.installed
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup tools run test waiting-tests serving-tests working-tests seed flask db-push reset lint bench load growth profile replay outage ingest

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV_STAMP) $(NODE_STAMP) ## Install what the program and its tests need, if a lock file has changed

run: setup ## Start Supabase and the app; options: PORT=3001 HOST=127.0.0.1 REDIS=1
	@exec $(STACK) --app $(if $(REDIS),--redis) -- $(SEEDER) --orgs $(ORGS) --calls $(CALLS) --if-empty --then $(GUNICORN)

test: setup ## Run the tests on a throw-away database; options: ARGS="tests/routes -k list"
	@$(if $(strip $(ARGS)),exec $(TESTS) $(ARGS),$(MAKE) -k -j3 waiting-tests serving-tests working-tests)

# Beside each other, each with a database of its own: those that mostly wait (for leases, clocks, stacks), those that try
# the program as a whole (its server, a browser, processes that die), and the others.
waiting-tests:
	@exec env $(NO_MAKE) $(TESTS) $(WAITING)

serving-tests:
	@exec env $(NO_MAKE) $(TESTS) $(SERVING)

working-tests:
	@exec env $(NO_MAKE) $(TESTS) tests $(addprefix --ignore=,$(WAITING) $(SERVING))

seed: setup ## Load demo data into the local database; options: ORGS=12 CALLS=1200 ORG_CALLS=01=1000000 SEED=1 REPLACE=1
	@exec $(STACK) --attach --local-only -- $(SEEDER) --orgs $(ORGS) --calls $(CALLS) $(SEED_OPTIONS)

flask: setup ## Run a maintenance command of the program; ARGS="webhooks status"
	@exec $(STACK) --attach -- $(BIN)/flask --app wsgi $(ARGS)

db-push: setup ## Apply the migrations to the local database, or to DATABASE_URL of .env
	@exec node $(NODE_DIR)/push.mjs

reset: $(NODE_STAMP) ## Wipe all local data; asks first, unless FORCE=1
	@exec node $(NODE_DIR)/reset.mjs $(if $(FORCE),--force)

replay: setup ## Replay an ordinary hour with the cache and without: hit rate, requests to Supabase
	@exec $(STACK) --ephemeral --redis -- $(BIN)/python -m tests.performance.replay $(ARGS)

outage: setup ## Show what a client sees while Redis and Supabase are frozen, stopped and back
	@exec $(STACK) --ephemeral --redis -- $(BIN)/python -m tests.performance.outage

ingest: setup ## Ingest 10,000 calls while the database is stopped for 10 s; fails on a missing or doubled one; options: N=300 OUTAGE=3
	@exec $(STACK) --ephemeral -- $(BIN)/python -m tests.performance.ingest $(if $(N),--calls $(N)) $(if $(OUTAGE),--outage $(OUTAGE))

lint: setup ## Check style, types, migrations and the Node files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/squawk supabase/migrations/*.sql
	node $(NODE_DIR)/lint.mjs

bench: setup ## Measure the dashboard's requests in clinics of all sizes; options: SIZES=1k,10k ROUNDS=60 STRICT=1
	@exec $(STACK) --ephemeral -- $(BIN)/python -m tests.performance.bench --sizes $(SIZES) --rounds $(ROUNDS) $(if $(STRICT),--strict)

load: setup ## Let 50 people and more use the dashboard at once; fails on a missed target; options: REDIS=1
	@exec $(STACK) --ephemeral $(if $(REDIS),--redis) -- $(BIN)/python -m tests.performance.load

growth: setup ## Measure what 10, 100 and 1,000 clinics cost beside each other; options: CLINICS=10,100
	@exec $(STACK) --ephemeral -- $(BIN)/python -m tests.performance.growth $(if $(CLINICS),--clinics $(CLINICS))

profile: setup ## Show where the program's own time for a page of calls goes
	@exec $(BIN)/python -m tests.performance.profile_list --tree

tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is: $$($(PYTHON) --version 2>&1 | head -n 1). Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null \
	  || { echo "Node 20 or newer is needed; node is: $$(node --version 2>&1 | head -n 1)" >&2; exit 1; }

$(VENV_STAMP): requirements.txt tests/requirements.txt | tools
	@echo "Installing the Python packages into .venv"
	@$(PYTHON) -m venv .venv || { echo "python -m venv failed; on Debian or Ubuntu install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r tests/requirements.txt
	@touch $@

$(NODE_STAMP): $(NODE_DIR)/package-lock.json | tools
	@echo "Installing the Node packages into $(NODE_DIR)/node_modules"
	@cd $(NODE_DIR) && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@node $(NODE_DIR)/rosetta.mjs
	@touch $@
