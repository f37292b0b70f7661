# Verbs of this project. `make demo` and `make test` need nothing but Python 3.11 (with venv) and root on a Debian-like
# machine; what else they use they bring.
PYTHON ?= python3
VENV   ?= .venv
PY     := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
# what a test needs beside Python: `make up` brings all of it but Java, which `make java` does
TOOLS  := bento or helm or registry or java or conformance or s3

.DEFAULT_GOAL := help
.PHONY: help demo test check unit java tools tools-beside checked programs e2e prove bench format lock up down status clean

help: ## show these verbs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@echo "==> Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.ready ## set everything up and score 336,776 flights, twice, with every figure checked
	@$(PY) -m scheduler.demo

test: $(VENV)/.ready ## everything: style, types, unit, charts, and end to end on the local cluster
	@$(MAKE) --no-print-directory --jobs 2 checked programs
	@PY=$(PY) tests/with-cluster $(MAKE) --no-print-directory --jobs 2 tools-beside e2e

checked:
	@$(MAKE) --no-print-directory --jobs 1 check unit

# what the cluster needs is compiled beside them, with what they leave of the processors
programs:
	@nice -n 15 $(PY) -m scheduler.devcluster build

check: $(VENV)/.ready ## ruff, mypy --strict, import-linter
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache

unit: $(VENV)/.ready ## tests that need neither network, root nor programs
	@$(PYTEST) --doctest-modules scheduler tests/unit tests/contract tests/golden tests/consistency tests/charts tests/bench -m "not e2e and not prove and not ($(TOOLS))" -q

java:
	@command -v java >/dev/null || { command -v apt-get >/dev/null \
	  || { echo "PMML needs a Java runtime, 17 or later, and there is no apt-get to bring one: install it" >&2; exit 1; }; \
	  echo "==> a Java runtime, which PMML runs in"; \
	  apt-get update --quiet --quiet && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes \
	  --no-install-recommends default-jre-headless; }

tools: $(VENV)/.ready java ## tests with the real helm, Bento, Java and S3
	@$(PYTEST) tests -m "($(TOOLS)) and not e2e and not prove" -q

# while the first tests on the cluster wait for it more than they work; its words in one piece
tools-beside:
	@$(MAKE) --no-print-directory tools >$(VENV)/tools.txt 2>&1 && status=0 || status=$$?; cat $(VENV)/tools.txt; exit $$status

e2e: $(VENV)/.ready ## tests on the running cluster
	@$(PYTEST) tests -m "e2e and not prove" -v

prove: $(VENV)/.ready ## the long proofs, on the local cluster: hours; writes docs/proofs.md (PROOFS=tests/prove/one.py for one)
	@PY=$(PY) tests/with-cluster $(PYTEST) $(or $(PROOFS),tests/prove) -m prove -v

bench: $(VENV)/.ready java ## measure on the local cluster, write docs/benchmarks.md (ONLY=serving for one of tests/bench)
	@PY=$(PY) MODELOPS_BENCH=full tests/with-cluster $(PYTEST) $(if $(ONLY),tests/bench/test_$(ONLY).py,tests/bench) -q -s

format: $(VENV)/.ready ## make the code look as `check` wants it
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

lock: $(VENV)/.ready ## resolve all requirement locks anew
	@$(PY) -m scheduler images lock

up: $(VENV)/.ready ## build what is missing and start the local cluster
	@$(PY) -m scheduler.devcluster up

down: $(VENV)/.ready ## stop the local cluster; nothing of it stays but its binaries and data
	@$(PY) -m scheduler.devcluster down

status: $(VENV)/.ready ## what of the local cluster runs
	@$(PY) -m scheduler.devcluster status

clean: ## remove the Python environment and the demonstration's files
	@rm -rf $(VENV) .demo build *.egg-info
