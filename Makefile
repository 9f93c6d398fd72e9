.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEWEST := $(VENV)/newest
PIP_INSTALL := -m pip install --disable-pip-version-check --no-compile
ARGS ?=
export OPENBLAS_NUM_THREADS := 1
# the tests start Python hundreds of times: each would compile the code anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test quick container-test newest test-newest lock bench-api notebooks lint format types check clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(VENV)/.installed  ## create .venv and install Reprise with its development tools

# two stamps: the demo needs no development tools
$(VENV)/.runs: pyproject.toml requirements.lock
	@echo 'Installing Reprise and what it needs into $(VENV): once, 157 MB; some seconds where pip has them in its cache'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP_INSTALL) --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.installed: $(VENV)/.runs
	@echo 'Installing the development tools into $(VENV): once, a minute or two'
	$(BIN)/python $(PIP_INSTALL) --constraint requirements.lock --editable '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # the tests start Python hundreds of times
	@touch $@

demo: $(VENV)/.runs  ## make up a shop, train, publish and open it on http://127.0.0.1:8001 (ARGS=--no-serve stops before serving)
	@$(BIN)/reprise demo $(ARGS)

test: install  ## run every test, but those of `make container-test`
	$(BIN)/pytest -n auto -m 'not containers' $(ARGS)

quick: install  ## run the tests that take seconds
	$(BIN)/pytest -n auto -m 'not slow' $(ARGS)

container-test: install  ## build the images and run compose.yaml and the manifests; needs podman and root
	$(BIN)/pytest -m containers tests/containers $(ARGS)

newest:
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python $(PIP_INSTALL) --quiet --editable '.[dev,bench,otel]'

test-newest: newest  ## run every test on the newest versions of everything; before each release, and before `make lock`
	$(NEWEST)/bin/pytest -n auto -m 'not containers' $(ARGS)

lock: newest  ## write the newest versions to requirements.lock (`make test-newest lock`: those that have just passed)
	$(NEWEST)/bin/python -m pip list --format freeze --exclude-editable --exclude pip --exclude setuptools >requirements.lock

bench-api:  ## measure the service beside a bare Flask view and FastAPI; needs wrk and `.venv/bin/pip install -e '.[bench]'`
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

check: lint types notebooks container-test test  ## what CI runs

clean:  ## remove what `make` and `reprise` created here
	rm -rf $(VENV) .reprise .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
