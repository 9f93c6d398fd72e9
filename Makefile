.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
export OPENBLAS_NUM_THREADS := 1

.PHONY: help install demo test quick bench-api notebooks lint format types check clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(VENV)/.installed  ## create .venv and install Reprise with its development tools

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: install  ## make up a shop, train, publish and serve on http://127.0.0.1:8000 (ARGS=--no-serve stops before serving)
	@$(BIN)/reprise demo $(ARGS)

test: install  ## run every test
	$(BIN)/pytest -n auto $(ARGS)

quick: install  ## run the tests that take seconds
	$(BIN)/pytest -n auto -m 'not slow' $(ARGS)

bench-api:  ## measure the service beside a bare Flask view and FastAPI; needs wrk and `pip install -e '.[bench]'`
	$(BIN)/python tests/benchmarks/api_speed.py $(ARGS)

notebooks: install  ## run the notebooks on the made-up shop (PURCHASES=/path PURCHASES_FORMAT=… for your own)
	PYTHONWARNINGS=error $(BIN)/pytest --nbmake --nbmake-timeout=300 --timeout=600 notebooks $(ARGS)

.PHONY: docs
docs: install  ## write the tables of the pages anew, from the code
	$(BIN)/python -m tests.support.reference

lint: install  ## check style, imports and spelling; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/codespell

format: install  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install  ## check types, strictly
	$(BIN)/mypy

check: lint types notebooks test  ## what CI runs

clean:  ## remove what `make` and `reprise` created here
	rm -rf $(VENV) .reprise .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
