# Needs make and Python 3.11 or newer; everything else goes into .venv here. PYTHON=... names an interpreter to prefer.

.PHONY: help demo test bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo   simulate the example clusters; timelines, captures and pictures go to out/"
	@echo "make test   lint, types, tests, coverage"
	@echo "make bench  measure against the peers"
	@echo "make clean  remove what these made, .venv too"

# A pyenv shim may stand on the PATH and fail when run, and Debian's python3 has no ensurepip until python3-venv is
# installed: so each candidate is tried, and the first one that does make a virtual environment is it.
CANDIDATES = $(PYTHON) python3 python3.13 python3.12 python3.11
SUITABLE = import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.venv/bin/python:
	@trap 'rm -rf .venv; exit 1' HUP INT TERM; \
	for python in $(CANDIDATES); do \
	    $$python -c '$(SUITABLE)' >/dev/null 2>&1 || continue; \
	    echo "making .venv with $$($$python --version)"; \
	    $$python -m venv --clear .venv && exit 0; \
	done; \
	rm -rf .venv; \
	echo "no Python 3.11 or newer that has venv and pip (tried: $(strip $(CANDIDATES))); name one: make PYTHON=/path/to/python3" >&2; \
	exit 1

# One stamp for what is installed beside the package itself: .venv/with is the package alone, .venv/with-dev has [dev].
.venv/with: pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

.venv/with-%: pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install -qq --disable-pip-version-check --editable '.[$*]'
	@touch $@

# Exit status 1 says that the service did not end healthy, which is what some of the examples are there to show.
demo: .venv/with
	@mkdir -p out; \
	for scenario in examples/*/*.toml; do \
	    out=out/$$(basename $$(dirname $$scenario))-$$(basename $$scenario .toml); \
	    echo "== $$scenario -> $$out.txt .json .pcap .png"; \
	    status=0; \
	    .venv/bin/vrrp sim $$scenario --json $$out.json --pcap $$out.pcap --plot $$out.png >$$out.txt || status=$$?; \
	    cat $$out.txt; \
	    if [ $$status -ge 2 ]; then echo "$$scenario: vrrp sim exited $$status" >&2; exit $$status; fi; \
	done

# Processes that run the tests: more than there are cores, for many tests wait. tests/shares.py shares them out.
WORKERS = 4

test: .venv/with-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/coverage erase
	.venv/bin/coverage run -m pytest --numprocesses=$(WORKERS)
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report --include='vrrp/wire/*,vrrp/protocol/*,vrrp/lvs/*' --fail-under=100
	.venv/bin/coverage report --fail-under=90

bench: .venv/with-bench
	.venv/bin/python -m benchmarks

clean:
	rm -rf .venv out build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
