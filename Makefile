# Everything here needs Python 3.11 or later and make; the rest comes from the lock files.

PYTHON ?= python3
ARGS ?=
TEST_WORKERS ?= 3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Without --no-deps pip would resolve again what the lock files have settled.
INSTALL := $(PIP) install --quiet --no-deps --require-hashes --requirement
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate

# A virtual environment whose Python has been removed or upgraded is made anew.
$(shell test ! -e $(VENV)/.made || $(BIN)/python -c "" 2>/dev/null || \
	rm -f $(VENV)/.made $(VENV)/.runtime $(VENV)/.dev)

.DEFAULT_GOAL := help
.PHONY: help demo test chaos check bench lock install \
	check-style check-types check-imports check-migrations check-locks

help:
	@echo "make demo      the demo; ARGS=--once ends after the scene, ARGS=--fresh forgets earlier ones"
	@echo "make test      the tests; ARGS=tests/storage picks some"
	@echo "make chaos     workers killed, the database restarted, providers at fault, for up to 10 minutes"
	@echo "make check     style, types, imports, migrations, lock files"
	@echo "make bench     the benchmarks"
	@echo "make install   only .venv, with what the demo needs"
	@echo "make lock      the lock files from pyproject.toml; ARGS=--upgrade moves to new versions"

demo: $(VENV)/.runtime
	@$(BIN)/countersign demo $(ARGS)

install: $(VENV)/.runtime

# A file stays with one worker, because its costly fixtures are made once per worker. Files with
# few tests are not left to the end: those wait most, and go well beside others.
test: $(VENV)/.dev
	@$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile \
		--no-loadscope-reorder $(ARGS)

chaos: $(VENV)/.dev
	@timeout --signal=INT 600 $(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.run $(ARGS)

check: check-style check-types check-imports check-migrations check-locks

check-style: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types: $(VENV)/.dev
	$(BIN)/mypy

check-imports: $(VENV)/.dev
	$(BIN)/lint-imports

# Upgrades a fresh embedded database and compares it with the models.
check-migrations: $(VENV)/.dev
	$(BIN)/python -m pytest --quiet tests/storage/test_migrations.py

# The versions and hashes in a lock file are kept as long as pyproject.toml allows them; so the
# check fails when the two disagree, and not when somebody publishes a new version.
check-locks: $(VENV)/.dev
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	cp requirements.lock requirements-dev.lock "$$folder" && \
	$(COMPILE) --output-file "$$folder/requirements.lock" pyproject.toml && \
	$(COMPILE) --output-file "$$folder/requirements-dev.lock" --extra dev pyproject.toml && \
	for lock in requirements.lock requirements-dev.lock; do \
		diff -u $$lock "$$folder/$$lock" || \
			{ echo "$$lock does not fit pyproject.toml: run make lock and commit it."; exit 1; }; \
	done && echo "The lock files fit pyproject.toml."

lock: $(VENV)/.dev
	$(COMPILE) $(ARGS) --output-file requirements.lock pyproject.toml
	$(COMPILE) $(ARGS) --constraint requirements.lock --extra dev \
		--output-file requirements-dev.lock pyproject.toml

$(VENV)/.made:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "$(PYTHON) was not found. Install Python 3.11 or later, or name one:" \
			"make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Countersign needs Python 3.11 or later; $(PYTHON) is" \
			"$$("$(PYTHON)" --version 2>&1). Name another one:" \
			"make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install python3-venv" \
			"(Debian, Ubuntu: apt-get install python3-venv)."; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version)."
	@"$(PYTHON)" -m venv $(VENV)
# The project runs from this folder: a line in .pth and a launcher do what an editable install
# does, without a build backend, which would be the one download that no hash covers.
	@$(BIN)/python -c 'import os, pathlib, sysconfig; \
		site = pathlib.Path(sysconfig.get_path("purelib")); \
		(site / "countersign.pth").write_text(os.path.relpath(".", site.resolve()) + "\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m bot.cli.main "$$@"\n' \
		> $(BIN)/countersign
	@chmod +x $(BIN)/countersign
	@touch $@

$(VENV)/.runtime: requirements.lock $(VENV)/.made
	@echo "Installing what Countersign needs (about a minute)."
	@$(INSTALL) requirements.lock
	@touch $@

# The development lock holds all of the runtime lock, in the same versions.
$(VENV)/.dev: requirements-dev.lock $(VENV)/.made
	@echo "Installing what development needs (about a minute)."
	@$(INSTALL) requirements-dev.lock
	@touch $(VENV)/.runtime $@
