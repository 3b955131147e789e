# The two commands: `make demo` and `make test`. Each sets up what it needs; both are quick the second time.
PYTHON ?= python3
BIN := .venv/bin
SECONDS ?= 0

.PHONY: demo test unit lint bench clean
demo: .venv/.ready
	$(BIN)/edge-agent demo --seconds $(SECONDS)

test: .venv/.ready lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

unit: .venv/.ready
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not slow"

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/.ready: pyproject.toml .ci/setup
	PYTHON=$(PYTHON) .ci/setup
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
