# Two commands: `make demo` runs the main job once, start to finish; `make test` proves that it works.
# Both set up everything they need in .venv, without a question.

PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.setup

.PHONY: setup demo test lint types unit bench bench-peers clean

setup: $(SETUP)

$(SETUP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e ".[cluster]"
	@touch $@

demo: $(SETUP)
	@$(BIN)/lianban demo

test: lint types unit

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(SETUP)
	$(BIN)/mypy

unit: $(SETUP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# One JSON line a benchmark; the figures stand in docs/measurements.md.
bench: $(SETUP)
	@$(BIN)/python -m benchmarks.main_job
	@$(BIN)/python -m benchmarks.decisions

# The same permit case on other engines, side by side: a table, and one JSON line (minutes).
bench-peers: $(SETUP)
	@$(BIN)/python -m benchmarks.peers

# Several machines: killed hundreds of times, overrun, and what a place needs. Half an hour.
bench-machines: $(SETUP)
	@$(BIN)/python -m benchmarks.kill_run --kills 200 --seed 1
	@$(BIN)/python -m benchmarks.overload
	@$(BIN)/python -m benchmarks.capacity

clean:
	rm -rf .venv .lianban build *.egg-info
