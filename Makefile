# Everything that a user or a developer does, with nothing to set up by hand but Python 3.11+ (with venv) and make.
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
ROWS ?= 1000000
PORT ?= 8000

.PHONY: run test lint format bench bench-answers lock clean

run: $(VENV)/installed
	@$(BIN)/tripsmith demo --port $(PORT)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

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

# After a change to the dependencies in pyproject.toml.
lock: $(VENV)/installed-dev
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --generate-hashes pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --generate-hashes pyproject.toml --group dev \
		-o requirements-dev.lock

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml requirements.lock
	@echo "Installing Tripsmith into $(VENV)"
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) build dist
