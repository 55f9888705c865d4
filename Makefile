# Needs Python >= 3.11, make and a package index; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test fast lint audit bench faults clean

## The two commands of the README. Four of the suite's eight variants: one to four minutes on two cores.
demo: .venv/installed
	$(BIN)/mnist-bench run --suite ablations --dataset mnist-5k \
		--only baseline --only no_batch_norm --only average_pooling --only rotation
	$(BIN)/mnist-bench leaderboard --suite ablations --dataset mnist-5k

test: lint
	$(BIN)/pytest -n 2 --cov --cov-report=term:skip-covered

## What runs at each save: seconds, on made-up images.
fast: .venv/installed
	$(BIN)/pytest -m "not slow" -q

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## Known vulnerabilities of what is installed. Its database is on the network: what it doesn't find there is a failure too.
audit: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip-audit
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r constraints.txt \
		|| { echo "pip-audit found something, or can't reach its data: see above"; exit 1; }

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

.venv/bench: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group bench
	touch $@

## The scripts that the README's and docs/performance.md's figures come from, on a machine with nothing else to do; the
## tables there say with which settings. Some four hours on two cores, most of them the peers'. REPEATS=5: medians of five.
REPEATS ?= 1
SEEDS ?= 3

bench: .venv/bench
	$(BIN)/python benchmarks/limit.py
	$(BIN)/python benchmarks/overheads.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/workers.py
	$(BIN)/python benchmarks/search_against_keras_tuner.py --epochs 5 --repeats $(REPEATS)
	store=sqlite:///$$(mktemp -d)/mlflow.db; \
		$(BIN)/mnist-bench run --suite speedrun --workers 1 --tracking-uri $$store && \
		$(BIN)/mnist-bench leaderboard --suite speedrun --by seconds-to-99 --tracking-uri $$store
	$(BIN)/python benchmarks/suite_against_peers.py --seeds $(SEEDS) --repeats $(REPEATS)

## A hundred faults at random times, and fifty starts of two drivers at once; some half an hour.
faults: .venv/installed
	PYTHONPATH=tests $(BIN)/python tests/storm.py many --faults 100
	PYTHONPATH=tests $(BIN)/python tests/storm.py two --starts 50

clean:
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache
