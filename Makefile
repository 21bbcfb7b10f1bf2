# Each target sets up what it needs, from a fresh clone on: `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
CUSTOMERS ?= 10000
# Processes of the test suite; more arguments for pytest.
WORKERS ?= 2
PYTEST_ARGS ?=
# For how long twenty write in test-sync.
SYNC_SECONDS ?= 120

PY := .venv/bin/python
# The locks are whole: pip looks for nothing else, or a newer release of what an extra names would stop it.
PIP := $(PY) -m pip install -qq --disable-pip-version-check --only-binary :all: --require-hashes --no-deps
# A stamp carries the checksum of its lock, so that a changed lock installs again and a touched one does not.
RUNTIME := .venv/.stamp-runtime-$(shell cksum < requirements/runtime.txt | cut -d' ' -f1)
DEV := .venv/.stamp-dev-$(shell cksum < requirements/dev.txt | cut -d' ' -f1)

# The embedded default: SQLite and no broker, whatever this shell has set.
EMBEDDED := env -u DATABASE_URL -u REDIS_URL
# What an installation on servers sets. Nothing connects to these addresses in the checks that use them.
PRODUCTION := env DEBUG=false HTTPS=true SECRET_KEY=check-$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(60))') \
	ALLOWED_HOSTS=crm.example.com CSRF_TRUSTED_ORIGINS=https://crm.example.com \
	DATABASE_URL=postgres://hengke:secret@db.example.com:5432/hengke REDIS_URL=redis://redis.example.com:6379/0 \
	EMAIL_URL=smtp+tls://hengke:secret@mail.example.com:587

PYTEST := $(PY) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)
CHECKS := check-format check-lint check-types check-imports check-templates check-migrations check-translations check-deploy check-api

.DEFAULT_GOAL := help
.PHONY: help demo test test-services test-sync check check-scopes $(CHECKS) bench lock messages setup setup-dev clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done

demo: $(RUNTIME) ## Start the product with a demo company (PORT=8000 CUSTOMERS=10000), until Ctrl-C
	@$(EMBEDDED) $(PY) manage.py migrate --verbosity 0
	@$(EMBEDDED) $(PY) manage.py load_demo --customers $(CUSTOMERS) --seed 1 --if-empty
	@exec $(EMBEDDED) PYTHONUNBUFFERED=1 $(PY) manage.py serve --port $(PORT)

test: $(DEV) ## Run the test suite without any service (at most 3 minutes on two cores)
	@$(EMBEDDED) $(PYTEST) -m "not services and not browser and not real_data and not exhaustive"; verdict=$$?; \
	echo 'Left out: the tests marked services, browser, real_data and exhaustive. To run everything: make test-services'; \
	exit $$verdict

test-services: $(DEV) ## Run every test: PostgreSQL, Redis, Celery, the browser, real data, whole matrices
	@$(PY) -m scripts.require_services $(PYTEST)

test-sync: $(DEV) ## Follow the lists of the API while twenty write, for two minutes (SYNC_SECONDS=120), on PostgreSQL
	@HENGKE_SYNC_SECONDS=$(SYNC_SECONDS) $(PY) -m scripts.require_services \
		$(PY) -m pytest -q -s -o faulthandler_timeout=600 $(PYTEST_ARGS) tests/services/test_sync_misses_nothing.py

check: $(CHECKS) ## Check format, lint, types, imports, templates, migrations, translations, deployment, API
	@echo 'All checks passed.'

check-format: $(DEV)
	@$(PY) -m ruff format --check --quiet . || { $(PY) -m ruff format --check .; echo 'To mend: .venv/bin/ruff format .'; exit 1; }

check-lint: $(DEV)
	@$(PY) -m ruff check --quiet .

check-types: $(DEV)
	@$(EMBEDDED) $(PY) -m mypy --no-error-summary $(wildcard crm opportunities visits grading showcase) scripts

check-imports: $(DEV)
	@.venv/bin/lint-imports --no-logo

check-templates: $(DEV)
	@$(PY) -m djlint templates --lint --quiet
	@$(PY) -m djlint templates --check --quiet || { $(PY) -m djlint templates --check; echo 'To mend: .venv/bin/djlint templates --reformat'; exit 1; }

check-migrations: $(DEV)
	@$(EMBEDDED) $(PY) manage.py makemigrations --check --dry-run --verbosity 1

check-translations: $(DEV)
	@$(PY) -m scripts.check_translations
	@$(PY) -m scripts.compile_translations --check

check-deploy: $(DEV)
	@$(PRODUCTION) $(PY) -W error::DeprecationWarning manage.py check --deploy --fail-level WARNING

check-api: $(DEV)
	@$(EMBEDDED) $(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null

check-scopes: $(DEV) ## Take out one scope after the other and see that a test notices (about 15 minutes)
	@$(PY) -m scripts.remove_scopes

bench: $(RUNTIME) ## Run every benchmark; each prints ratios measured in one run
	@verdict=0; for file in $$(grep -l '^def main' bench/*.py); do \
		name=$$(basename "$$file" .py); printf '\n--- bench.%s\n' "$$name"; \
		$(EMBEDDED) $(PY) -m "bench.$$name" || verdict=1; \
	done; exit $$verdict

lock: ## Resolve requirements/*.in again into the locks (needs uv)
	@command -v uv >/dev/null || { echo 'make lock needs uv: install it with pipx install uv, or put it on the PATH.' >&2; exit 1; }
	@for name in runtime dev; do \
		uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --no-annotate requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
	@git diff --stat -- requirements

messages: $(DEV) ## Collect strings for translation into the catalogue and compile it
	@$(PY) -m scripts.messages
	@$(PY) -m scripts.compile_translations

setup: $(RUNTIME) ## Only make the environment that the product needs
setup-dev: $(DEV) ## Only make the environment that tests and checks need

clean: ## Remove the environment and the caches; the demo's data in var/ stays
	@rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .coverage htmlcov test-results

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Hengke needs Python 3.11 or newer as $(PYTHON): install it, or name it with make PYTHON=/path/to/python3.11.' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo 'Python cannot make an environment: on Debian and Ubuntu install the package python3-venv.' >&2; exit 1; }

# One copy of the product's dependencies serves both: the development lock holds the runtime lock's versions.
$(RUNTIME): .venv/bin/python
	@echo 'Installing what the product needs (about half a minute) ...'
	@$(PIP) -r requirements/runtime.txt
	@touch $@

$(DEV): .venv/bin/python
	@echo 'Installing what tests and checks need (about half a minute) ...'
	@$(PIP) -r requirements/dev.txt
	@touch $@ $(RUNTIME)
