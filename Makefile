# make demo | test | check: each first makes .venv and installs the package into it, again whenever pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: help demo test check format options clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     a generated clip through the whole chain (under two minutes, nothing downloaded but packages)"
	@echo "make test     all tests"
	@echo "make check    formatting, lint, types, layers, all tests"
	@echo "make format   rewrite the formatting"
	@echo "make options  docs/options.md, configs/*.yaml and vsodtool/__init__.pyi anew, after an option has changed"
	@echo "TORCH=cpu     beside it: a torch without CUDA, which saves 5 GB (needs uv)"
	@echo "PYTHON=...    the Python to use, 3.11 or newer (now: $(PYTHON))"

# With uv where it is at hand (half the wait), else with pip. Only uv can choose a torch without CUDA. Packages that
# are in .venv already and new enough stay as they are.
UV ?= $(shell command -v uv 2>/dev/null)
TORCH ?=
SIZE := $(if $(TORCH),torch for $(TORCH),some 3.2 GB to download and 6 GB on disk, most of it the CUDA that torch brings along)
ifneq ($(UV),)
INSTALL := $(UV) pip install --python $(BIN)/python --compile-bytecode $(if $(TORCH),--torch-backend=$(TORCH))
else
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
endif

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; say make PYTHON=python3.11")'
	@$(if $(TORCH),$(if $(UV),,echo "TORCH=$(TORCH) needs uv, which is not on the PATH; put a torch of your own into $(VENV) instead, it is kept" >&2; exit 1))
	@echo "installing into $(VENV): $(SIZE) (by $(if $(UV),uv,pip))" >&2
	$(PYTHON) -m venv $(VENV)

NATIVE := $(wildcard vsodtool/native/*.py vsodtool/native/source/*)

$(STAMP): pyproject.toml $(NATIVE) | $(VENV)/bin/python
	$(INSTALL) -e .
	touch $@

$(DEV_STAMP): pyproject.toml $(NATIVE) | $(VENV)/bin/python
	$(INSTALL) -e '.[dev]'
	# Without what it asks for: it would bring an older OpenCV than users get.
	$(INSTALL) --no-deps 'pysodmetrics>=1.6'
	touch $@ $(STAMP)

# Extras whose tests are skipped without them: 23 MB to download.
.PHONY: extras
extras: $(DEV_STAMP)
	$(INSTALL) -e '.[dev,sam2,ray,s3]' 'moto[server]>=5'

demo: $(STAMP)
	$(BIN)/vsodtool demo -o demo-out

# Three processes for two cores: tests of the page wait for the browser most of the time. With as many threads
# each as there are cores they would wait for each other.
test: export OMP_NUM_THREADS ?= 1
test: $(DEV_STAMP)
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

check: lint test

.PHONY: lint
lint: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

options: $(DEV_STAMP)
	$(BIN)/python docs/write_options.py

clean:
	rm -rf build dist demo-out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
