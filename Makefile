# sslbench: `make` shows what there is. Every target sets up its own environment in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp-$(shell cat requirements.lock pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
WORKERS ?= auto
SUITE ?= quick

.DEFAULT_GOAL := help
.PHONY: help setup bench publish bench-performance soak test lint check docs results reproduce ui clean

help:  ## Show this help.
	@echo "sslbench: how many labels does self-supervision save?"
	@echo
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1|/' | column -t -s '|'
	@echo
	@echo "  variables: SUITE=$(SUITE) WORKERS=$(WORKERS) PYTHON=$(PYTHON)"

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.stamp-*
	@touch $@

setup: $(STAMP)  ## Create .venv from requirements.lock; done already, it costs nothing.

bench: $(STAMP)  ## Run the quick suite on real data and print its tables (minutes; again: seconds).
	$(BIN)/sslbench run $(SUITE) --workers $(WORKERS)

publish: $(STAMP)  ## Copy the tables of the last bench to results/, and what the README shows of them.
	$(BIN)/sslbench publish $(SUITE) --readme README.md --readme results/README.md
	$(BIN)/sslbench leaderboard

test: $(STAMP)  ## Run the tests, as many at a time as there are cores.
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(STAMP)  ## Check format, lint and types.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test  ## What CI runs: format, lint, types, tests.

docs: $(STAMP)  ## Build the documentation into site/, the tutorial run anew; warnings are errors (2 minutes).
	$(BIN)/mkdocs build --strict

results: $(STAMP)  ## Rebuild the published tables and plots from the records in results/*/.
	@for file in results/*/records.csv; do \
		$(BIN)/sslbench report "$$(basename "$$(dirname "$$file")")" --rebuild || exit 1; \
	done
	$(BIN)/sslbench report quick --rebuild --readme README.md --readme results/README.md
	$(BIN)/sslbench leaderboard

reproduce: $(STAMP)  ## Run random rows of every published table again and check each against its interval.
	$(BIN)/sslbench reproduce results/*/records.csv results/community/*.csv --sample 2

bench-performance: $(STAMP)  ## Measure speed against its bounds (two hours, nothing else running).
	$(BIN)/python benchmarks/performance/all.py

soak: $(STAMP)  ## For an hour, kill workers, database, server and nodes of sweeps; their records must stay the same.
	$(BIN)/python -m pytest tests/sweep -m cluster
	$(BIN)/python benchmarks/cluster/soak.py --minutes 60

ui: $(STAMP)  ## Browse every run in the MLflow UI.
	$(BIN)/sslbench ui

clean:  ## Delete the environment and site/; runs and results stay.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache site
