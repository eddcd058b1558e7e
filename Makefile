# The only door for developers: make run | make test. Everything else is in `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
# Every process of the tests imports some thousand files: without kept bytecode each would compile them again.
unexport PYTHONDONTWRITEBYTECODE

help:                 ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 22

run: .venv/.run       ## print the advice for an invented example patient and write its HTML report
	$(BIN)/sirolens advise examples/charts/adult_three_troughs.json --html build/advice.html
	@echo "The same as a page: $(CURDIR)/build/advice.html"

test: .venv/.dev      ## style, floors, types and all tests (what CI runs)
	@$(MAKE) --no-print-directory -j2 .first-dosing .style .first-mechanism
	$(BIN)/python -m pytest -n 2 --dist worksteal -q --hypothesis-profile=ci

.style: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.first-dosing .first-mechanism: .first-%: .venv/.dev
	@$(BIN)/python -m tests.first_kernels $* > build/first-$*.log

fix: .venv/.dev       ## repair and format what a machine can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

words: .venv/.dev     ## compile the message catalogues (.po to .mo)
	$(BIN)/python -m tests.catalogues

bench: .venv/.dev     ## speed, as ratios within one run
	$(BIN)/python -m benchmarks

validate: .venv/.dev  ## the long checks; remakes the tables in validation/
	$(BIN)/python -m validation

docs: .venv/.dev      ## remake the parts of the docs that the program writes
	$(BIN)/python -m tests.generated_docs

clean:                ## forget the environment and every cache
	rm -rf .venv .cache build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sirolens needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv

.venv/.run: pyproject.toml | .venv/bin/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[pdf]"
	@mkdir -p build && touch $@

.venv/.dev: pyproject.toml | .venv/bin/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[dev]"
	@mkdir -p build && touch $@ .venv/.run

.PHONY: help run test fix words bench validate docs clean .style .first-dosing .first-mechanism
