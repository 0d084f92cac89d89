# Two commands are enough: `make run` and `make test`. `make help` lists the rest.
# PYTHON=/path/to/python3 chooses the interpreter; ARGS="…" is passed on.

PYTHON ?=
ARGS ?=
UPGRADE ?=
IN_VENV := .venv/bin/python
# tools that load the settings must not leave keys in var/, which belongs to the running desk
LINT_ENV = env -u DATABASE_URL -u SECRET_KEY -u FIELD_KEYS -u AUDIT_KEYS VAR_DIR=.venv/$@

.DEFAULT_GOAL := help
.PHONY: help run test lint lint-types lint-rules format bench client lock sbom

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the whole desk with demo data and the Webex Connect sandbox; ARGS="--port 9000"
	@PYTHON="$(PYTHON)" sh requirements/venv run
	@exec $(IN_VENV) manage.py up --demo $(ARGS)

test: ## the whole suite, on SQLite and on PostgreSQL; ARGS="-k audience", ARGS="--only sqlite"
	@PYTHON="$(PYTHON)" sh requirements/venv dev
	@exec $(IN_VENV) -m tests.run $(ARGS)

lint: ## style, types, templates, migrations and import rules
	@PYTHON="$(PYTHON)" sh requirements/venv dev
	@$(MAKE) --no-print-directory -j2 lint-types lint-rules

# the two take as long as each other, on one core each
lint-types:
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(LINT_ENV) $(IN_VENV) -m mypy
	@$(MAKE) --no-print-directory client
	MYPYPATH=clients/python/src $(IN_VENV) -m mypy --config-file clients/python/pyproject.toml

lint-rules:
	find templates -name '*.html' -exec .venv/bin/djade --check --target-version 5.2 {} +
	$(LINT_ENV) $(IN_VENV) manage.py makemigrations --check --dry-run
	$(IN_VENV) -m pytest -q tests/test_architecture.py tests/test_repository.py

format: ## rewrite code and templates in the house style
	@PYTHON="$(PYTHON)" sh requirements/venv dev
	$(IN_VENV) -m ruff check --fix .
	$(IN_VENV) -m ruff format .
	find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} +

bench: ## the benchmarks, one JSON line each; ARGS go to every one of them
	@PYTHON="$(PYTHON)" sh requirements/venv dev
	@for file in tests/bench/[a-z]*.py; do \
		name=$$(basename "$$file" .py); \
		$(IN_VENV) -m "tests.bench.$$name" $(ARGS) || exit 1; \
	done

client: ## the Python client as a wheel in clients/python/dist, generated from docs/openapi.json
	@PYTHON="$(PYTHON)" sh requirements/venv dev
	@rm -rf clients/python/dist
	@$(IN_VENV) -m pip wheel -qq --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir clients/python/dist ./clients/python

# uv is asked to upgrade nothing by itself: existing pins stay until UPGRADE=--upgrade
lock: ## compile requirements/*.txt from pyproject.toml, with hashes and without addresses; UPGRADE=--upgrade
	@PATH="$(CURDIR)/.venv/bin:$$PATH"; \
	command -v uv >/dev/null || { echo "make lock needs uv (pip install uv)."; exit 1; }; \
	compile="uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $(UPGRADE)"; \
	$$compile pyproject.toml --output-file requirements/run.txt && \
	$$compile pyproject.toml --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	@$(MAKE) --no-print-directory sbom

sbom: ## write the bill of materials, requirements/bom.json, from requirements/run.txt
	@$(IN_VENV) -m tests.bom
