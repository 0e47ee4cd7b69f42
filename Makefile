# make demo | test | check: each first makes .venv and installs the package into it, again whenever pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test check format options clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     a generated clip through the whole chain (under two minutes, nothing downloaded but packages)"
	@echo "make test     all tests"
	@echo "make check    formatting, lint, types, layers, all tests"
	@echo "make format   rewrite the formatting"
	@echo "make options  docs/options.md, configs/*.yaml and vsodtool/__init__.pyi anew, after an option has changed"
	@echo "PYTHON=...    the Python to use, 3.11 or newer (now: $(PYTHON))"

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; say make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[dev]'
	# Without what it asks for: it would bring an older OpenCV than users get.
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps 'pysodmetrics>=1.6'
	touch $@

demo: $(STAMP)
	$(BIN)/vsodtool demo -o demo-out

test: $(STAMP)
	$(BIN)/python -m pytest -q

check: lint test

.PHONY: lint
lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

options: $(STAMP)
	$(BIN)/python docs/write_options.py

clean:
	rm -rf build dist demo-out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
