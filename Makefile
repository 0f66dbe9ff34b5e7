# What a newcomer, a developer and the continuous integration do; `make help` lists it.
# Needs Python 3.11 or 3.12 with its venv module, and nothing else; see README.md.

VENV   ?= .venv
PYTHON ?=
DJANGO ?=
# Set to 0 to stop `make demo` after the walk.
SERVE  ?= 1
# Tests that run at the same time.
JOBS   ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$n)
# More arguments for pytest, such as TESTS="tests/exams -k thai".
TESTS  ?=
# Both databases; or sqlite or mariadb alone.
MICROCRED_TEST_DB ?=

PY = $(VENV)/bin/python
# The extra "mysql" is compiled: only where MariaDB's or MySQL's header files are.
MYSQL = $(shell command -v cc >/dev/null && { command -v mariadb_config || command -v mysql_config || { pkg-config --exists libmariadb || pkg-config --exists mysqlclient; } && echo yes; } >/dev/null 2>&1 && echo ,mysql)
ENVIRONMENT = @.ci/environment "$(VENV)" "$(1)" "$(DJANGO)" "$(PYTHON)"
FOR_DEMO = $(call ENVIRONMENT,sandbox)
FOR_TESTS = $(call ENVIRONMENT,sandbox$(COMMA)test$(MYSQL))
FOR_QUALITY = $(call ENVIRONMENT,sandbox$(COMMA)test$(COMMA)quality$(MYSQL))
COMMA = ,

.PHONY: help demo test test-sqlite test-mariadb test-install mfe screenshots bench quality format messages docs clean

help:  ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

demo:  ## Walk a learner through the five steps, then serve the sandbox (SERVE=0: stop after the walk).
	$(FOR_DEMO)
	@SERVE=$(SERVE) $(PY) -m sandbox.demo

test:  ## Run all tests: on SQLite, and on MariaDB where it can be reached.
	$(FOR_TESTS)
	@case "$(MICROCRED_TEST_DB)" in \
	    sqlite) $(MAKE) --no-print-directory test-sqlite ;; \
	    mariadb) $(MAKE) --no-print-directory test-mariadb ;; \
	    "") $(MAKE) --no-print-directory test-sqlite && \
	        if $(PY) .ci/reachable.py; then $(MAKE) --no-print-directory test-mariadb; \
	        elif [ "$${CI:-}" = true ]; then exit 1; \
	        else echo "The tests did not run on MariaDB. README.md says how to give them one."; fi ;; \
	    *) echo "MICROCRED_TEST_DB is sqlite or mariadb, not $(MICROCRED_TEST_DB)." >&2; exit 2 ;; \
	esac

test-sqlite:
	MICROCRED_TEST_DB=sqlite $(PY) -m pytest -q -n $(JOBS) --dist loadgroup -m "not services and not install" $(TESTS)

test-mariadb:
	MICROCRED_TEST_DB=mariadb $(PY) -m pytest -q --migrations -n $(JOBS) --dist loadgroup -m "not install" $(TESTS)

test-install:  ## Run the tests that install the package with pip: clean environments, Tutor 20, 21 and 22.
	$(FOR_TESTS)
	$(PY) -m pytest -q -n $(JOBS) --dist loadgroup -m install $(if $(TESTS),$(TESTS),tests/packaging tests/tutor)

mfe:  ## Check, test, compile and pack the dashboard's widget (needs Node 20 and npm; CHECK=1: compare only).
	@cd openedx_plugin/mfe && npm ci --no-audit --no-fund --ignore-scripts && npm run --silent lint && \
	    npm test --silent && npm run --silent pack-widget $(if $(CHECK),-- --check)

screenshots:  ## Take the pictures of the documents anew, into docs/images/ (needs Chromium); look at each.
	$(FOR_TESTS)
	@$(PY) -m sandbox.screenshots $(NAMES)

bench:  ## Measure on MariaDB, print the table, write build/bench.json and the table of README.md.
	$(FOR_TESTS)
	@$(PY) .ci/reachable.py
	@$(PY) -m benchmarks; code=$$?; $(PY) .ci/bench_table.py build/bench.json README.md && exit $$code

quality:  ## Check style, layers, types, annotations of personal data, migrations, translations and documents.
	$(FOR_QUALITY)
	@.ci/quality "$(VENV)/bin"

format:  ## Let ruff put the code in order.
	$(FOR_QUALITY)
	$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

messages:  ## Extract the messages to translate, and compile the catalogues (needs gettext).
	$(FOR_QUALITY)
	@$(PY) .ci/messages.py extract && $(PY) .ci/messages.py compile

docs:  ## Check the links and the commands in the documents.
	$(FOR_QUALITY)
	@$(PY) .ci/documents.py

clean:  ## Remove what was made: environments, build/, caches.
	rm -rf .venv .tox build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
