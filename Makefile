# Everything that people and CI call. `make run` and `make test` set themselves up; they need Python 3.11+ with venv and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint bench image clean

run: $(VENV)/.run
	@$(BIN)/mockvod demo $(ARGS)

test: lint
	$(BIN)/pytest -q -n 2 --dist loadfile $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

# With Docker where there is one; `make image BUILD="…"` names another builder.
BUILD ?= docker build -t mockvod:dev
image:
	$(BUILD) .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@echo "Setting up in $(VENV), once …" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the checks need …" >&2
	@$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@ $(VENV)/.run
