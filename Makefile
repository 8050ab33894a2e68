# Everything that a user or a developer does, with nothing to set up by hand but Python 3.11+ (with venv) and make.
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
ROWS ?= 1000000
PORT ?= 8000
DASHBOARD = $(shell find dashboard -type f -not -path '*/node_modules/*' -not -path '*/public/basemap/*' -not -name schema.d.ts)

SECONDS ?= 600
.PHONY: run test fuzz lint format bench bench-answers lock clean dashboard screenshots api-document

run: $(VENV)/installed $(VENV)/dashboard
	@$(BIN)/tripsmith demo --port $(PORT)

test: $(VENV)/installed-dev $(VENV)/dashboard
	$(BIN)/python -m pytest

# Random CSV, read by Python's csv module and by Tripsmith, for ten minutes.
fuzz: $(VENV)/installed-dev
	TRIPSMITH_FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest -s --timeout 0 tests/integration/test_csv_reading.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-answers: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.answers --rows $(ROWS)

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.ingest --rows $(ROWS)

dashboard: $(VENV)/dashboard

# The pictures in docs/screenshots, of every page in light and dark, wide and on a phone.
screenshots: $(VENV)/installed-dev $(VENV)/dashboard
	$(BIN)/python tests/acceptance/screenshots.py

# After a change to the API: the dashboard's types are made from this document.
api-document: $(VENV)/installed
	$(BIN)/python -m tripsmith.web.openapi > dashboard/openapi.json

# After a change to the dependencies in pyproject.toml.
lock: $(VENV)/installed-dev
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --generate-hashes pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --generate-hashes pyproject.toml --group dev \
		-o requirements-dev.lock

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml requirements.lock
	@echo "Installing Tripsmith into $(VENV); the first time the dashboard is built too, which takes a minute or two"
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --editable .
	@touch $@ $(VENV)/dashboard

# Installing builds the dashboard: hatch_build.py, with Node from a wheel where none is installed.
$(VENV)/dashboard: $(VENV)/installed hatch_build.py $(DASHBOARD)
	@echo "Building the dashboard"
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) build dist dashboard/node_modules dashboard/public/basemap tripsmith/web/static
