# Every target sets up what it needs: the first run makes .venv from pyproject.toml and .constraints.txt.
# EXTRAS=dev,sdk installs the vendor's own SDK too, which the tests then hold the sandbox against.
PYTHON ?= python3
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(EXTRAS)

.PHONY: demo test lint format bench soak schemas lock clean help

help: ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml .constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .constraints.txt -e '.[$(EXTRAS)]'
	touch $@

demo: $(READY) ## run the whole system on this machine, everything embedded
	$(BIN)/genesys-workers demo $(ARGS)

# Bytecode is kept whatever the environment says: hundreds of processes would compile all of it anew.
test: $(READY) ## run the test suite
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(READY) ## ruff and mypy, strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure, as ratios within one run
	$(BIN)/python -m tests.benchmarks

soak: $(READY) ## the long crash and load runs
	$(BIN)/python -m pytest tests/soak $(ARGS)

schemas: $(READY) ## write tasks/schemas anew, after a message has changed
	$(BIN)/genesys-workers schema > tasks/schemas/messages.schema.json
	$(BIN)/genesys-workers schema --asyncapi > tasks/schemas/asyncapi.json

lock: $(READY) ## pin the newest allowed versions in .constraints.txt
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-header --no-annotate \
		--upgrade pyproject.toml -o .constraints.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
