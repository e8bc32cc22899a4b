# Needs only python3 (3.11 or newer, with venv). PIP_ARGS goes to pip: an index, --no-cache-dir, ...
PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
ARGS ?=
BIN := $(VENV)/bin

.PHONY: help demo test lint format check

help:
	@echo "make demo    the web page on this machine"
	@echo "make test    the test suite              (ARGS='-k images' passes arguments to pytest)"
	@echo "make check   lint and test"
	@echo "make lint    ruff and mypy"
	@echo "make format  rewrite the sources as ruff formats them"

demo: $(VENV)/.ready
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/.ready-dev
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test

# Stamps: set-up runs again only when the dependencies change.
$(VENV)/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) --constraint constraints.txt --editable .
	touch $@

$(VENV)/.ready-dev: pyproject.toml constraints.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) --constraint constraints.txt --editable '.[dev]'
	touch $(VENV)/.ready $@
