# make demo: set up .venv and speak.   make test: set up .venv and run all that CI runs.
# make check: the same in your own environment (PYTHON=python3).

VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
TEXT ?= Hello. This voice was made on a processor, without a download.
# One thread a process: several pytest workers with several torch threads each stand in a jam.
export OMP_NUM_THREADS ?= 1
WORKERS ?= 2
PLUGINS = $(wildcard plugins/*)

.PHONY: docs demo test check lint types imports tests changelog clean

demo: $(VENV)/.installed
	$(BIN)/vall-e synth "$(TEXT)" -o hello.wav

test: $(VENV)/.installed-dev
	$(MAKE) check PYTHON=$(BIN)/python

check: lint types imports tests

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: # each plugin is a source root of its own
	MYPYPATH=$$(echo plugins/*/src | tr ' ' :) $(PYTHON) -m mypy

imports:
	$(PYTHON) -c "from importlinter.cli import lint_imports_command as lint; lint()"

tests:
	$(PYTHON) -m pytest -q -n $(WORKERS)

docs: $(VENV)/bin/python # the website, in build/site; a dead link is an error
	$(BIN)/python -m pip install -q "mkdocs-material>=9.6"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict -q

changelog:
	$(PYTHON) -m towncrier build --draft

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation $(PLUGINS:%=-e %)
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
