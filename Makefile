# What a person does with regui, from a fresh Debian 12 on. `make help` lists the targets from the ## comments.

PYTHON ?= python3
BIN := .venv/bin
REGUI := $(BIN)/regui
# Added to pytest's command line: make test ARGS="-k delete -x"
ARGS ?=
# What asks most of the database.
ON_POSTGRES := tests/index tests/actions tests/accounts tests/api/test_paging.py $(addprefix tests/web/test_,history.py search.py storage.py)
# Ruff's S rules are bandit's by the same numbers; what they find is excused where it stands, with a reason. So bandit
# is asked for the rest. It would report again: asserts (B101, excused for all in pyproject.toml), binding (B104), words
# for passwords and empty ones (B105 to B107), mark_safe (B308, B703), chance (B311), that there are subprocesses
# (B404), how they are started (B603, B607) and SQL put together of constants (B608).
BY_RUFF := B101,B104,B105,B106,B107,B308,B703,B311,B404,B603,B607,B608
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT_INSTALL = $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends
POLICY := /usr/sbin/policy-rc.d
# The checks don't depend on how this shell is set up for running regui, and never touch its data.
CHECK_ENV = env $(foreach name,$(filter REGUI_%,$(.VARIABLES)),-u $(name)) \
    REGUI_DATA=$(CURDIR)/.data REGUI_SECRET_KEY=checks REGUI_ANONYMOUS_ROLE=admin

# A registry server to test against instead of Debian's: make test REGISTRY_BINARY=/path/to/registry
ifdef REGISTRY_BINARY
export REGISTRY_BINARY
endif

.DEFAULT_GOAL := help
.PHONY: help run install test test-postgres test-long lint audit bench types fix lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: install ## set up what is missing and serve regui, with a demo registry when none is configured
ifneq ($(strip $(REGUI_REGISTRY_URL)$(REGUI_REGISTRIES)),)
	@exec $(REGUI)
else
	@exec $(REGUI) demo
endif

install: .venv/installed ## set up .venv with regui in it

test: lint types ## run every check and every test
	$(CHECK_ENV) $(BIN)/pytest -n auto -m "not long" $(ARGS)
	@$(MAKE) --no-print-directory test-postgres

# 5 is pytest's way of saying that ARGS left nothing to run.
test-postgres: .venv/tested ## run the tests of the index and of actions on PostgreSQL
	$(CHECK_ENV) HYPOTHESIS_PROFILE=few $(BIN)/python -m tests.postgres \
	    $(BIN)/pytest -n auto -m "not long" $(ON_POSTGRES) $(ARGS) || [ $$? = 5 ]

test-long: .venv/tested ## run the property tests of nightly size too
	$(CHECK_ENV) HYPOTHESIS_PROFILE=long $(BIN)/pytest -n auto $(ARGS)

lint: .venv/tested ## check style, templates and migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/djlint templates --lint
	$(BIN)/bandit -q -r regui --skip $(BY_RUFF)
	$(CHECK_ENV) REGUI_DATABASE_URL=sqlite://:memory: $(REGUI) makemigrations --check --dry-run

audit: .venv/tested ## ask whether anything in the locks has a known vulnerability (needs the network)
	for lock in requirements.lock requirements-dev.lock; do \
	    $(BIN)/pip-audit --require-hashes --disable-pip --strict --progress-spinner off -r $$lock || exit; done

bench: .venv/tested ## measure what docs/performance.md tells (SIZE=small, medium or full; FOLDER= to keep what it reads)
	$(CHECK_ENV) $(BIN)/python -m bench $(or $(SIZE),medium) $(FOLDER)

types: .venv/tested ## check types
	$(CHECK_ENV) REGUI_DATABASE_URL=sqlite://:memory: $(BIN)/mypy

fix: .venv/tested ## let the tools repair style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## write requirements*.lock anew from pyproject.toml
	work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && $(PYTHON) -m venv "$$work" && "$$work/bin/pip" install -q uv && \
	compile() { "$$work/bin/uv" pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml "$$@"; } && \
	compile --extra postgres --group build -o requirements.lock && \
	compile --group test -c requirements.lock -o requirements-dev.lock

# Debian keeps ensurepip, which makes a venv useful, in a package of its own.
.venv/bin/pip:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(APT_INSTALL) python3-venv || \
	    { $(SUDO) apt-get update -q && $(APT_INSTALL) python3-venv; } >/dev/null
	$(PYTHON) -m venv .venv

# Built in place with what the lock pins: nothing is resolved, nothing comes without a hash.
.venv/installed: requirements.lock pyproject.toml | .venv/bin/pip
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/tested: requirements-dev.lock .venv/installed | .venv/tools
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# What the tests drive: a browser, a foreign registry client, the other database, another engine of tasks, a
# directory of people with what its client is built with. They start servers of their own, so Debian is told not
# to start those it installs.
.venv/tools: | .venv/bin/pip
	@want=""; \
	command -v chromium >/dev/null || want="$$want chromium"; \
	command -v skopeo >/dev/null || want="$$want skopeo"; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || want="$$want postgresql"; \
	command -v redis-server >/dev/null || want="$$want redis-server"; \
	command -v slapd >/dev/null || [ -x /usr/sbin/slapd ] || want="$$want slapd"; \
	command -v gcc >/dev/null || want="$$want gcc libc6-dev"; \
	[ -e /usr/include/ldap.h ] || want="$$want libldap-dev"; \
	[ -e /usr/include/sasl/sasl.h ] || want="$$want libsasl2-dev"; \
	[ -e "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || \
	    want="$$want python3-dev"; \
	[ -z "$$want" ] || [ -e $(POLICY) ] || { trap '$(SUDO) rm -f $(POLICY)' EXIT; trap 'exit 1' INT TERM; \
	    printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee $(POLICY) >/dev/null && $(SUDO) chmod +x $(POLICY); }; \
	[ -z "$$want" ] || { echo "installing$$want"; $(APT_INSTALL) $$want >/dev/null; } || \
	    { $(SUDO) apt-get update -q && $(APT_INSTALL) $$want; } >/dev/null
	@touch $@
