# `make demo` and `make test` work on a fresh machine with Python 3.11+, git and make: they set themselves up.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Many tests wait (for leases, for processes to end): one more than there are processors.
PARALLEL ?= $(shell expr $$(nproc 2>/dev/null || echo 1) + 1)

.PHONY: demo test long calibration soak fuzz lock audit lint types fast environment clean bench site pictures

## demo: bisect a made-up regression, from nothing to a report
demo: $(VENV)/ready
	$(BIN)/bisector demo

## test: everything CI runs: style, types, tests (with the real engine where this machine can have one)
test: $(VENV)/ready-dev environment lint types
	$(BIN)/python -m pytest -n $(PARALLEL) --dist loadgroup -m "not calibration and not long and not alone"
	$(BIN)/python -m pytest -m "alone and not long" --durations=10

## long: what takes too long for CI: every fault, more whole bisects for real, and fuzzing
long: $(VENV)/ready-dev environment
	tests/environment/up.sh languages || [ -z "$(CI)" ]
	$(BIN)/python -m pytest -n $(PARALLEL) --dist loadgroup -m "long and not calibration and not alone and not soak"
	$(BIN)/python -m pytest -m "long and alone and not soak"
	$(MAKE) fuzz

## calibration: stated probability against the share that is right, over all kinds of noise, and ten thousand histories
calibration: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n $(PARALLEL) -m calibration

## soak: workers that are killed for half an hour, and ten thousand jobs on sixteen of them
soak: $(VENV)/ready-dev environment
	$(BIN)/python -m pytest -s -m soak

## fuzz: two minutes of fuzzing for each parser, one a processor; what one chokes on is kept in tests/fuzz/corpus
fuzz: $(VENV)/ready-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz

## fast: the tests that need no engine, no browser and no patience
fast: $(VENV)/ready-dev lint types
	$(BIN)/python -m pytest -n $(PARALLEL) -m "not docker and not browser and not slow and not calibration and not alone and not long"

## site: the documents as a site, below site/; pages that are made from the code are written anew before
site: $(VENV)/ready-dev
	$(BIN)/python -m docs
	$(BIN)/mkdocs build --quiet --strict

## pictures: those of the README, of a demo that is run for it
pictures: $(VENV)/ready-dev
	$(BIN)/python -m docs.pictures

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready-dev
	$(BIN)/mypy

## environment: a Docker engine with its base image, a browser, perf, valgrind, PostgreSQL, benchmark and load tools (Debian as root; else it says what is missing)
environment:
	tests/environment/up.sh engine browser profilers postgres tools || [ -z "$(CI)" ]

## bench: every figure in the documentation
bench: $(VENV)/ready-dev
	$(BIN)/python -m benchmarks.replan
	$(BIN)/python -m benchmarks.search --cells aim --trials 40
	$(BIN)/python -m benchmarks.search --calibration --trials 20
	$(BIN)/python -m benchmarks.parallel
	$(BIN)/python -m benchmarks.layout --jobs 4
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.git_history
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.overhead.share
	$(BIN)/python -m benchmarks.queue
	$(BIN)/python -m benchmarks.profiles
	$(BIN)/python -m benchmarks.profiles speedscope
	$(BIN)/python -m benchmarks.profiles.speedscope

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bisector needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache

## lock: the versions, with their hashes, that the image is made of (with the extras it has by default)
lock: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--extra server --extra distributed pyproject.toml -o requirements.lock

## audit: known faults of what is locked, and a list of its parts (CycloneDX) in bisector.sbom.json
audit: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit cyclonedx-bom
	$(BIN)/cyclonedx-py requirements requirements.lock --output-file bisector.sbom.json
	$(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip --strict
