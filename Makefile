# make demo: set up .venv and speak.
# make test: set up .venv and run the quick checks.   make test-all: and all others that CI runs.
# make check, make check-all: the same in your own environment (PYTHON=python3).

VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
TEXT ?= Hello. This voice was made on a processor, without a download.
# One thread a process: several pytest workers with several torch threads each stand in a jam.
export OMP_NUM_THREADS ?= 1
# pytest rewrites the asserts of all tests: 5 s in every process that may not keep the result.
export PYTHONDONTWRITEBYTECODE =
WORKERS ?= 2
PYTEST = $(PYTHON) -m pytest -q -n $(WORKERS)
PLUGINS = $(wildcard plugins/*)
# Where `make shapes` checks each call against its annotations, and the tests that make such calls.
# Of vall-e-attention-fused only `fused`: Triton reads the source of its kernels.
CHECKED = vall_e.codec vall_e.model vall_e_backbones vall_e_codecs vall_e_samplers \
	$(filter-out vall_e_attention_fused,$(notdir $(wildcard plugins/*/src/*))) \
	vall_e_attention_fused.fused
CHECKED_BY = tests/backbones tests/codec tests/codecs tests/decoding tests/model tests/samplers \
	tests/synthesis tests/weights plugins

# Of `make fuzz`; `make fuzz SECONDS=3600` reads more damaged files.
SECONDS ?= 60

.PHONY: docs demo test test-all check check-all lint types imports tests slow shapes fuzz changelog clean

demo: $(VENV)/.installed
	$(BIN)/vall-e synth "$(TEXT)" -o hello.wav

test: $(VENV)/.installed-dev
	$(MAKE) check PYTHON=$(BIN)/python

test-all: $(VENV)/.installed-dev
	$(MAKE) check-all PYTHON=$(BIN)/python

check: lint types imports tests

check-all: check slow shapes fuzz

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: # each plugin is a source root of its own
	MYPYPATH=$$(echo plugins/*/src | tr ' ' :) $(PYTHON) -m mypy

imports:
	$(PYTHON) -c "from importlinter.cli import lint_imports_command as lint; lint()"

tests:
	$(PYTEST) -m "not slow"

slow:
	$(PYTEST) -m slow

# Without files: jaxtyping would take modules from there that were kept before they were CHECKED.
shapes: export PYTHONDONTWRITEBYTECODE = 1
shapes:
	$(PYTEST) -m "not slow" --jaxtyping-packages=$$(echo $(CHECKED) beartype.beartype | tr ' ' ,) \
		$(CHECKED_BY)

fuzz: # damaged files of every kind that users give
	$(PYTHON) tests/fuzz/fuzz.py --seconds $(SECONDS) --workers $(WORKERS)

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
